--- The recorded exchanges (../shared/conformance): nothing crashes, every cut gives the same outcome,
-- and the outcome is what the tags of the recording say.
local json = require "curia.json"
local run = require "spec.conformance.run"

-- Fewer cuts than `curia lua spec/conformance.lua` makes, so that the suite stays quick.
run.limits = { every_byte = 1024, head = 256, tail = 128, random = 16 }

local FOLDER = "../shared/conformance/"

local function recordings()
  local files = {}
  for name in io.popen("ls " .. FOLDER .. " 2>/dev/null"):lines() do
    if name:find("%.jsonl$") then files[#files + 1] = name end
  end
  return files
end

local function tags_of(exchange)
  local tags = {}
  for _, tag in ipairs(exchange.features or {}) do tags[tag] = true end
  return tags
end

-- What each tag of an answer demands of its record; false and a reason where it is not met.
local DEMANDS = {
  text = function(record) return record.content ~= "", "content" end,
  tool_call = function(record) return record.tool_calls[1] ~= nil, "a tool call" end,
  parallel_tool_calls = function(record) return #record.tool_calls > 1, "several tool calls" end,
  reasoning = function(record)
    return record.reasoning ~= nil or (record.usage.reasoning_tokens or 0) > 0, "reasoning"
  end,
  usage = function(record) return next(record.usage) ~= nil, "usage" end,
  reasoning_tokens = function(record) return record.usage.reasoning_tokens ~= nil, "reasoning tokens" end,
  cached_tokens = function(record) return (record.usage.cached_tokens or 0) > 0, "cached tokens" end,
  refusal = function(record) return record.finish_reason == "refusal" and record.content ~= "", "a refusal" end,
  truncated = function(record) return record.finish_reason == "length", "a length stop" end,
  content_filter = function(record) return record.finish_reason == "content_filter", "a content filter" end,
}

-- Server tools run at the vendor's and are no calls of ours; reasoning may be encrypted, redacted or
-- left out but for its signature; a recording may hold several choices.
local EXCUSES = {
  tool_call = { "server_tool", "n_choices" }, parallel_tool_calls = { "server_tool", "n_choices" },
  reasoning = { "reasoning_encrypted", "redacted_thinking", "signature", "n_choices" },
  text = { "n_choices" }, usage = { "odd:no_candidates" }, cached_tokens = { "cache_write" },
    content_filter = { "refusal" },
}

local function excused(tag, tags)
  for _, excuse in ipairs(EXCUSES[tag] or {}) do
    if tags[excuse] then return true end
  end
  return false
end

local FAILS = { "error", "error_in_200", "midstream_error", "error_status_unknown" }

local function is_failure(tags)
  for _, tag in ipairs(FAILS) do
    if tags[tag] then return true end
  end
  -- Without a finish reason nobody can say that such a stream is whole.
  return tags.empty_stream and tags["odd:no_finishReason"] or false
end

local function implausible(record, exchange)
  local tags, faults = tags_of(exchange), {}
  if is_failure(tags) then return record.outcome ~= "error" and { "should be an error" } or {} end
  if record.outcome == "error" then return { "should be an answer, is: " .. record.error.message } end
  for tag, demand in pairs(DEMANDS) do
    if tags[tag] and not excused(tag, tags) then
      local met, what = demand(record)
      if not met then faults[#faults + 1] = "lacks " .. what end
    end
  end
  return faults
end

local function broken_arguments(record)
  for _, call in ipairs(record.tool_calls or {}) do
    if type(call.arguments) ~= "table"
      and record.finish_reason ~= "length" then return { "arguments are no object" } end
  end
  return {}
end

local function check(path, report)
  local count = 0
  for exchange in run.exchanges(path) do
    local record, faults = run.check(exchange)
    if record then
      count = count + 1
      for _, list in ipairs { faults, implausible(record, exchange), broken_arguments(record) } do
        for _, fault in ipairs(list) do report[#report + 1] = exchange.id .. ": " .. fault end
      end
      assert(json.encode(record))
    end
  end
  return count
end

describe("recorded exchanges #conformance", function()
  local files = recordings()
  if not files[1] then
    pending("of " .. FOLDER .. " are not here")
    return
  end

  for _, name in ipairs(files) do
    it("of " .. name .. " read alike however they are cut", function()
      local report = {}
      check(FOLDER .. name, report)
      assert.same({}, report)
    end)
  end
end)
