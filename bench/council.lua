--- The council of the peers' benchmark, on the ordinary engine: three members answer, the same three
-- review all answers, a chair concludes; seven calls of the OpenAI chat protocol. Texts and report are
-- those of the workload `council-3x2`, so that every peer sends requests of the same size.
--
--     build/release/bench/council --url http://127.0.0.1:18080 --runs 2000 --concurrency 100 --stream 0 --subscribe 0
--
-- `--warm N`: so many runs before the clock starts, which load modules and open the store.
local clock = require "curia.core.clock"
local curia = require "curia"
local system = require "curia.core.system"
local task = require "curia.task"

local USAGE = "usage: council --url URL --runs N --concurrency N --stream 0|1 --subscribe 0|1 "
  .. "[--durability sync --store sqlite:PATH] [--warm N]\n"
local QUESTION = "What should a small team measure first when it builds an agent runtime, and why?"
local MEMBER = "You are member %d of a council of three. Answer the question briefly and honestly."
local CHAIR = "You are the chair of a council of three. Write the final answer."
local REVIEW = "Review these answers: name the best point and the worst mistake of each."

local function fail(message)
  io.stderr:write("council: ", message, "\n", USAGE)
  os.exit(64)
end

local TEXTS = { url = true, durability = true, store = true }

local function flags(args)
  local found = {
    url = false, runs = 100, concurrency = 10, stream = 0, subscribe = 0, durability = "none", store = false,
    warm = 0,
  }
  for i = 1, #args, 2 do
    local name, value = args[i]:match "^%-%-(.+)$", args[i + 1]
    if not name or found[name] == nil or not value then fail("cannot read " .. args[i]) end
    found[name] = TEXTS[name] and value or math.tointeger(tonumber(value)) or fail("no number: " .. value)
  end
  if not found.url then fail "--url is missing" end
  found.concurrency = math.min(found.concurrency, found.runs)
  return found
end

-- ---- the council ------------------------------------------------------------------------------

-- Adds the answers of a round to the pieces of a prompt.
local function list(parts, title, ctx, round)
  parts[#parts + 1] = title
  for i, member in ipairs(ctx.members) do
    parts[#parts + 1] = "\n\n[" .. i .. "] "
    parts[#parts + 1] = ctx.rounds[round].results[member.id].response.content
  end
end

local answer = { name = "answer", build = function() return QUESTION end }

local function review_prompt(ctx)
  local parts = { "Question: ", QUESTION, "\n\n" }
  list(parts, "Answers:", ctx, 1)
  parts[#parts + 1] = "\n\n" .. REVIEW
  return table.concat(parts)
end

-- All three are asked the same; as with the other peers its text is made once.
local review = {
  name = "review",
  build = function(ctx)
    ctx.prompt = ctx.prompt or review_prompt(ctx)
    return ctx.prompt
  end,
}

local conclude = {
  name = "conclude",
  chair = true,
  build = function(ctx)
    local parts = { "Question: ", QUESTION, "\n\n" }
    list(parts, "Answers:", ctx, 1)
    parts[#parts + 1] = "\n\n"
    list(parts, "Reviews:", ctx, 2)
    parts[#parts + 1] = "\n\nWrite the final answer."
    return table.concat(parts)
  end,
}

local function new_council(stream)
  local function seat(system_text)
    return { provider = "mock", model = "mock-1", stream = stream, system = system_text }
  end
  return curia.council "bench" {
    curia.member "one" (seat(MEMBER:format(1))),
    curia.member "two" (seat(MEMBER:format(2))),
    curia.member "three" (seat(MEMBER:format(3))),
    curia.round(answer) {},
    curia.round(review) {},
    curia.round(conclude) {},
    curia.chair(seat(CHAIR)),
  }
end

-- ---- the load ---------------------------------------------------------------------------------

local complaints = 0

local function complain(err)
  complaints = complaints + 1
  if complaints <= 3 then io.stderr:write("council: ", tostring(err), "\n") end
end

-- Keeps `concurrency` runs going until all are done; gives the times, the successes, the last answer's size.
local function load(council, runs, concurrency, run_options)
  local times, started, ok, bytes = {}, 0, 0, 0
  local function worker()
    while started < runs do
      started = started + 1
      local begun = clock.us()
      local result, err = curia.run(council, QUESTION, run_options)
      times[#times + 1] = (clock.us() - begun) / 1000
      if result and result.status == "ok" then
        ok, bytes = ok + 1, #result.final.content
      else
        complain(err or result.errors[1])
      end
    end
  end
  local workers = {}
  for i = 1, concurrency do workers[i] = worker end
  local _, errors = task.all(workers)
  for _, err in pairs(errors) do complain(err) end
  table.sort(times)
  return times, ok, bytes
end

local function percentile(times, share)
  return times[math.min(#times, math.floor(share * #times) + 1)] or 0
end

-- The most memory that the process ever had; ru_maxrss could be its parent's.
local function peak_rss_mb()
  local file = io.open "/proc/self/status"
  local kb = file and file:read "a":match "VmHWM:%s+(%d+)" or 0
  if file then file:close() end
  return kb / 1024
end

local options = flags(arg)
curia.config { providers = { mock = { adapter = "openai_chat", base_url = options.url .. "/v1", api_key = "none" } } }
if options.store then curia.config { store = options.store } end
local council = new_council(options.stream ~= 0)
local tokens = 0
local run_options = { durability = options.durability }
if options.subscribe ~= 0 then
  run_options.subscribe = function(event)
    if event.type == "member_token" then tokens = tokens + 1 end
  end
end

load(council, options.warm, 1, run_options)
local wall_us, cpu_us = clock.us(), system.cpu_us()
local times, ok, bytes = load(council, options.runs, options.concurrency, run_options)
wall_us, cpu_us = clock.us() - wall_us, system.cpu_us() - cpu_us

print(("{%q:%q,%q:%d,%q:%d,%q:%.4f,%q:%.6f,%q:%.2f,%q:%.3f,%q:%.3f,%q:%.2f,%q:%d,%q:%d,%q:%q}"):format(
  "peer", "curia", "runs", options.runs, "ok", ok, "wall_s", wall_us / 1e6, "cpu_s", cpu_us / 1e6,
  "runs_per_s", options.runs * 1e6 / wall_us, "p50_ms", percentile(times, 0.5), "p99_ms", percentile(times, 0.99),
  "max_rss_mb", peak_rss_mb(), "final_bytes", bytes, "token_events", tokens,
  "runtime", "curia " .. curia._VERSION .. ", " .. _VERSION))
require "curia.store.shared".close()
return ok == options.runs and 0 or 1
