-- Decision rules: microseconds per decision over 100 ballots of 10 candidates. Run: curia lua bench/rules.lua
local fields = require "curia.language.fields"
local random = require "curia.engine.random"
local rules = require "curia.rules"
local task = require "curia.task"

local VOTERS, CANDIDATES = 100, 10
local BATCH, BATCHES = 200, 15
local GOAL, GOAL_OF = 100, { schulze = 300 }
local GRADES = { "reject", "poor", "acceptable", "good", "very good", "excellent" }

local dice = random.new(7)

local options = {}
for i = 1, CANDIDATES do options[i] = ("candidate-%02d"):format(i) end

local function shuffled(list)
  local order = table.move(list, 1, #list, 1, {})
  for i = #order, 2, -1 do
    local j = dice:integer(i)
    order[i], order[j] = order[j], order[i]
  end
  return order
end

--- A ballot with everything that any rule reads.
local function ballot(i)
  local ordering, scores, grades = shuffled(options), {}, {}
  for _, id in ipairs(options) do scores[id], grades[id] = dice:integer(10), GRADES[dice:integer(#GRADES)] end
  return {
    voter = "voter-" .. i, choice = ordering[1], ordering = ordering, confidence = dice:number(),
    approvals = table.move(ordering, 1, dice:integer(CANDIDATES), 1, {}), scores = scores, grades = grades,
  }
end

local ballots = {}
for i = 1, VOTERS do ballots[i] = ballot(i) end

--- The best of several batches.
local function microseconds(rule)
  local best, opts = math.huge, { options = options }
  for _ = 1, BATCHES do
    local start = os.clock()
    for _ = 1, BATCH do rules.decide(rule, ballots, opts) end
    best = math.min(best, os.clock() - start)
    task.sleep(0) -- a turn of the loop, which its watchdog waits for
  end
  return best / BATCH * 1e6
end

for _, rule in ipairs(fields.rules) do
  print(("%-18s %7.1f us   goal %3d us"):format(rule, microseconds(rule), GOAL_OF[rule] or GOAL))
end
