-- Validation: microseconds to find that a council of twenty members and five rounds is good, with everything looked
-- up anew, and to find all faults of one that is wrong everywhere. Run: curia lua bench/validate.lua
local curia = require "curia"
local task = require "curia.task"

local BATCH_SECONDS, BATCHES = 0.1, 7

local function noop() end

local function council_of(fields, rounds)
  local body = { about = "x", profile = "bench", quorum = "majority", metadata = { owner = "bench" } }
  for i = 1, 20 do
    local member = { id = "member" .. i }
    for name, value in pairs(fields) do member[name] = value end
    body[i] = curia.member(member)
  end
  for _, round in ipairs(rounds) do body[#body + 1] = curia.round(round[1])(round[2]) end
  body.chair = { profile = "bench" }
  return curia.council "bench" (body)
end

local good = council_of({
  role = "expert", system = "You are an expert.", temperature = 0.5, max_tokens = 1000, stream = true, weight = 1,
  timeout = "30s", retry = { attempts = 3, base = "1s" }, fallback = { "bench/second" }, metadata = { team = "a" },
}, {
  { "independent_analysis", { timeout = "45s" } }, { "critique", { members = { "member1", "member2" } } },
  { "peer_review", { quorum = 3, grace = "5s" } }, { "anonymized_peer_review", { order = "shuffle" } },
  { "critique", {} },
})

local bad = council_of({ temprature = 1, weight = -1, profile = "bnech", schema = 7, model = "nobody/x" },
  { { "critiqeu", {} }, { "critique", { members = { "nobody" }, quroum = 1 } } })

-- Registering anything makes a council that was found good be looked at again.
local function uncached(council)
  return function()
    curia.register("function", "bench_noop", noop)
    return curia.validate(council)
  end
end

-- The least of several batches: what other programs take is none of ours.
local function microseconds(fn)
  local best = math.huge
  for _ = 1, BATCHES do
    local count, began = 0, os.clock()
    repeat
      fn()
      count = count + 1
    until os.clock() - began >= BATCH_SECONDS
    best = math.min(best, (os.clock() - began) / count * 1e6)
    task.sleep(0)
  end
  return best
end

curia.config {
  providers = { bench = { adapter = "scripted" } },
  profiles = { bench = { provider = "bench", model = "first" } },
}
assert(curia.validate(good))
local _, faults = curia.validate(bad)
print(("20 members, 5 rounds, good:      %6.0f us"):format(microseconds(uncached(good))))
print(("20 members, %3d faults:          %6.0f us"):format(#faults, microseconds(uncached(bad))))
