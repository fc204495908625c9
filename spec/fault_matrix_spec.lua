--- Each fault at each stage of a council, streamed or not, over real HTTP: it ends in its typed outcome, what the others
--- were paid for is kept, and nobody is asked more often than the retry budget allows (SPEC 10).
local curia = require "curia"
local helper = require "spec.helper"
local http = require "curia.http"
local mock = require "curia.mock"

local STAGES = { "answer", "review", "ballot", "synthesis" }

-- What the bad provider does, and the kinds of error that may come of it; `ok`: an answer all the same.
local FAULTS = {
  { "refuses the connection", { fault = "refuse_connection" }, "transient" },
  { "closes before any byte", { fault = "cut_before" }, "transient" },
  { "closes in the middle", { fault = "cut" }, "transient" },
  { "resets in the middle", { fault = "reset" }, "transient" },
  { "never answers", { fault = "hang" }, "timeout" },
  { "falls silent in the middle", { fault = "silence" }, "timeout" },
  { "sends a few bytes at a time", { fault = "slow" }, "ok" },
  { "sends a page of HTML", { fault = "html" }, "transient permanent" },
  { "sends nothing", { fault = "empty" }, "transient" },
  { "sends what cannot be read", { fault = "garbage" }, "transient" },
  { "puts an error into a 200", { fault = "error_in_200", error = { status = 500, message = "Oops." } }, "transient" },
  { "leaves out the end", { fault = "no_done" }, "ok transient" },
  { "refuses the key", { error = { status = 401, message = "Bad key." } }, "auth" },
  { "does not know the model", { error = { status = 404, message = "No such model." } }, "permanent validation" },
  { "refuses the request", { error = { status = 400, message = "Bad request." } }, "validation permanent" },
  { "limits the rate", { error = { status = 429, message = "Slow down.", retry_after_ms = 1 } }, "rate_limited" },
  { "has no credit left", { error = { status = 429, message = "You exceeded your quota.", code = "insufficient_quota",
    type = "insufficient_quota" } }, "quota_exhausted", lasts = true },
  { "is down", { error = { status = 500, message = "Down." } }, "transient" },
  { "is overloaded", { error = { status = 529, message = "Overloaded." } }, "overloaded" },
  { "answers nothing", { content = "", finish_reason = "stop" }, "invalid_output" },
  { "spends its tokens on thinking", { content = "", finish_reason = "length" }, "invalid_output" },
  { "filters the answer", { content = "", finish_reason = "content_filter" }, "content_filter" },
}

local GOOD = { answer = "a good answer", review = "a good review", ballot = '{"choice": "Response A"}',
  synthesis = "the end" }

local function stage_of(request)
  local text = request.messages[#request.messages].content
  if text:find("You are the chair", 1, true) then return "synthesis" end
  if text:find('"choice"', 1, true) then return "ballot" end
  return text:find("Review each answer", 1, true) and "review" or "answer"
end

-- Serves good answers, but for the stage that is to fail.
local function serve(stage, answer)
  local server = assert(mock.start { script = function(request)
    local at = stage_of(request)
    if at ~= stage then return GOOD[at] end
    local bad = { content = GOOD[at] }
    for name, value in pairs(answer) do bad[name] = value end
    return bad
  end })
  return setmetatable({ url = server.url, mock = server }, { __close = function() server:close() end })
end

local function configure(bad_url, good_url)
  local function entry(url) return { adapter = "openai_chat", base_url = url .. "/v1", api_key = "k" } end
  curia.config { providers = { good = entry(good_url), bad = entry(bad_url) } }
end

local function bad_one(stage)
  return stage == "synthesis" and "chair" or "b"
end

local function seat(id, stage, streamed)
  local bad = id == bad_one(stage)
  local limit_ms = bad and 400 or 20000
  return { id = id, provider = bad and "bad" or "good", model = "m", stream = streamed,
    timeout_ms = limit_ms, first_byte_timeout_ms = limit_ms, retry = { attempts = 2, base_ms = 1, max_ms = 5 } }
end

local function council(stage, streamed)
  local members = {}
  for i, id in ipairs { "a", "b", "c" } do members[i] = seat(id, stage, streamed) end
  return curia.council "matrix" {
    members = members, chair = seat("chair", stage, streamed),
    rounds = { { type = "independent_analysis", name = "answer" }, { type = "peer_review", name = "review" },
      { type = "vote", name = "ballot" } },
  }
end

local function calls_of(result)
  local calls, attempts = 0, 0
  for _, round in ipairs(result.rounds) do
    for _, member in pairs(round.results) do
      calls, attempts = calls + 1, attempts + member.attempts
    end
  end
  return calls, attempts
end

local function round_named(result, name)
  for _, round in ipairs(result.rounds) do
    if round.name == name then return round end
  end
end

-- All but the bad one have answered, in every stage; a fault that lasts (a key without credit rests) stays with it.
local function check_others(result, stage, lasts)
  local reached = false
  for _, round in ipairs(result.rounds) do
    reached = reached or round.name == stage
    for id, member in pairs(round.results) do
      local may_fail = member.provider == "bad" and (round.name == stage or reached and lasts)
      assert.is_true(may_fail or member.status == "ok", round.name .. " " .. id)
    end
  end
end

local function check_failure(result, stage, kinds)
  local id = bad_one(stage)
  local failed = round_named(result, stage).results[id]
  if failed.status == "ok" then
    assert.truthy(kinds:find "ok", "it should have failed")
    assert.equal("ok", result.status)
    return
  end
  assert.truthy((" " .. kinds .. " "):find(" " .. failed.error.kind .. " ", 1, true), tostring(failed.error))
  assert.same({ id, stage, "bad" }, { failed.error.member, failed.error.round, failed.error.provider })
  assert.equal(stage == "synthesis" and "error" or "partial", result.status)
  assert.equal(id, result.degraded.missing[1].member)
end

describe("the fault matrix", function()
  for _, streamed in ipairs { false, true } do
    for _, stage in ipairs(STAGES) do
      for _, fault in ipairs(FAULTS) do
        it(("%s: a provider that %s%s"):format(stage, fault[1], streamed and ", streamed" or ""), function()
          local good <close> = serve(nil, nil)
          local bad <close> = serve(stage, fault[2])
          configure(bad.url, good.url)
          local result = helper.run(function() return (curia.run(council(stage, streamed), "Why?")) end)
          check_others(result, stage, fault.lasts)
          check_failure(result, stage, fault[3])
          local calls, attempts = calls_of(result)
          assert.is_true(attempts <= 1.2 * calls + 3)
          assert.equal(0, http.stats().active)
        end)
      end
    end
  end
end)
