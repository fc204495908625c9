--- What the specs of the rules share: ballots by the thousand, the reference, and what every rule must keep to.
local assert = require "luassert"
local decide = require("curia.rules").decide
local random = require "curia.engine.random"
local reference = require "spec.rules.reference"

local M = {}

M.GRADES = { "bad", "fair", "good" }
local CONFIDENCES = { 0.25, 0.5, 1 }

--- n ballots with one ordering, given as a text: "abc" ranks a over b over c.
function M.orderings(groups)
  local ballots = {}
  for _, group in ipairs(groups) do
    for _ = 1, group[1] do
      local ordering = {}
      for id in group[2]:gmatch "." do ordering[#ordering + 1] = id end
      ballots[#ballots + 1] = { voter = "v" .. #ballots, ordering = ordering }
    end
  end
  return ballots
end

--- Ballots that choose: "aab" is two for a and one for b.
function M.choices(text)
  local ballots = {}
  for id in text:gmatch "." do ballots[#ballots + 1] = { voter = "v" .. #ballots, choice = id } end
  return ballots
end

--- A list without its marks, for assert.same.
function M.plain(list)
  return { table.unpack(list) }
end

-- ---- single ballots -------------------------------------------------------------------------------

local function orderings_of(options)
  local all = {}
  local function extend(ordering)
    if #ordering > 0 then all[#all + 1] = { ordering = { table.unpack(ordering) } } end
    for _, id in ipairs(options) do
      local used = false
      for _, other in ipairs(ordering) do used = used or other == id end
      if not used then
        ordering[#ordering + 1] = id
        extend(ordering)
        ordering[#ordering] = nil
      end
    end
  end
  extend {}
  return all
end

local function approvals_of(options)
  local all = {}
  for set = 0, (1 << #options) - 1 do
    local approved = {}
    for i, id in ipairs(options) do approved[#approved + 1] = set >> (i - 1) & 1 == 1 and id or nil end
    all[#all + 1] = { approvals = approved }
  end
  return all
end

local function choices_of(options)
  local all = {}
  for _, id in ipairs(options) do
    for _, confidence in ipairs(CONFIDENCES) do all[#all + 1] = { choice = id, confidence = confidence } end
  end
  return all
end

-- Every way to give each option one of the values, or none.
local function maps_of(field, values)
  return function(options)
    local all = { {} }
    for _, id in ipairs(options) do
      local longer = {}
      for _, map in ipairs(all) do
        for i = 0, #values do
          local copy = { [id] = values[i] }
          for other, value in pairs(map) do copy[other] = value end
          longer[#longer + 1] = copy
        end
      end
      all = longer
    end
    local ballots = {}
    for _, map in ipairs(all) do
      if next(map) ~= nil then ballots[#ballots + 1] = { [field] = map } end
    end
    return ballots
  end
end

local BALLOTS = {
  ordering = orderings_of, approvals = approvals_of, choice = choices_of,
  scores = maps_of("scores", { 0, 1, 3 }), grades = maps_of("grades", M.GRADES),
}

-- ---- electorates ----------------------------------------------------------------------------------

local MOST_IN_FULL = 16

-- Under a collector that takes a step at each allocation, one of so many electorates is enough.
local STRIDE = os.getenv "CURIA_GC_STRESS" and 100 or 1

local function some_of(visit)
  local count = 0
  return function(...)
    count = count + 1
    if count % STRIDE == 0 then visit(...) end
  end
end

local function with_voters(ballots)
  local named = {}
  for i, ballot in ipairs(ballots) do
    named[i] = { voter = "v" .. i }
    for field, value in pairs(ballot) do named[i][field] = value end
  end
  return named
end

-- Up to the order of the voters, which is looked at on its own.
local function each_of_three(all, visit)
  for i = 1, #all do
    for j = i, #all do
      for k = j, #all do visit(with_voters { all[i], all[j], all[k] }) end
    end
  end
end

local function sample(all, voters, times, dice, visit)
  for _ = 1, times do
    local ballots = {}
    for i = 1, voters do ballots[i] = all[dice:integer(#all)] end
    visit(with_voters(ballots))
  end
end

local THREE, FOUR = { "a", "b", "c" }, { "a", "b", "c", "d" }

--- Calls `visit(ballots, options)` for all electorates of three voters and three options, where they are few enough,
--- else for 1000 of them.
function M.each_small(kind, visit)
  local all = BALLOTS[kind](THREE)
  local three = some_of(function(ballots) visit(ballots, THREE) end)
  if #all <= MOST_IN_FULL then each_of_three(all, three) else sample(all, 3, 1000, random.new(17), three) end
end

--- The same for samples of two to five voters and four options.
function M.each_sampled(kind, visit)
  local all, dice = BALLOTS[kind](FOUR), random.new(23)
  local four = some_of(function(ballots) visit(ballots, FOUR) end)
  for voters = 2, 5 do sample(all, voters, 60, dice, four) end
end

-- ---- what every rule keeps to ---------------------------------------------------------------------

local function copy(value)
  if type(value) ~= "table" then return value end
  local made = {}
  for key, item in pairs(value) do made[key] = copy(item) end
  return made
end

local function reversed(list)
  local made = {}
  for i = #list, 1, -1 do made[#made + 1] = list[i] end
  return made
end

-- Renames options: in texts, in lists and as keys.
local function renamed(value, names)
  if type(value) ~= "table" then return names[value] or value end
  local made = {}
  for key, item in pairs(value) do made[names[key] or key] = renamed(item, names) end
  return made
end

local NAMES = { a = "c", b = "d", c = "b", d = "a" }

local function heads(decision)
  local list = M.plain(decision.tied or { decision.winner })
  table.sort(list)
  return list
end

local function close(expected, scores)
  for id, score in pairs(expected) do
    if not scores[id] or math.abs(score - scores[id]) > 1e-9 then return false end
  end
  return true
end

local function check_shape(d, rule, ballots)
  assert.equal(rule, d.rule)
  assert.is_true(d.margin >= 0 and d.margin <= 1)
  assert.equal(d.tied ~= nil, d.tie)
  assert.is_true(not d.tie or d.margin == 0)
  assert.is_true(not d.winner or d.ranking[1] == d.winner)
  for id in pairs(d.scores) do
    local times = 0
    for _, ranked in ipairs(d.ranking) do times = times + (ranked == id and 1 or 0) end
    assert.equal(1, times)
  end
  assert.equal(#ballots, #d.ballots_used + #d.discarded)
end

local function options_for(options, more)
  local given = { options = options }
  for name, value in pairs(more or {}) do given[name] = value end
  return given
end

--- Compares a rule with the reference.
---@param rule string
---@param kind string of ballots
---@param more? table further options
function M.check_against_reference(rule, kind, more)
  local function check(ballots, options)
    local d = decide(rule, ballots, options_for(options, more))
    check_shape(d, rule, ballots)
    local winners, scores = reference[rule](ballots, options, more and more.grades)
    assert.same(winners, heads(d))
    assert.is_true(scores == nil or close(scores, d.scores) and close(d.scores, scores))
  end
  M.each_small(kind, check)
  M.each_sampled(kind, check)
end

--- A rule is pure and treats voters alike: it changes nothing that it is given, and their order does not matter.
function M.check_anonymity(rule, kind, more)
  M.each_sampled(kind, function(ballots, options)
    local given, before = options_for(options, more), copy(ballots)
    local d, back = decide(rule, ballots, given), decide(rule, reversed(ballots), given)
    assert.same(before, ballots)
    assert.same(options_for(options, more), given)
    assert.same(M.plain(d.ranking), M.plain(back.ranking))
    assert.is_true(close(d.scores, back.scores) and math.abs(d.margin - back.margin) < 1e-9)
  end)
end

--- A rule treats options alike: when they change their names, the winners do.
function M.check_neutrality(rule, kind, more)
  M.each_sampled(kind, function(ballots, options)
    local given = options_for(options, more)
    local expected = renamed(heads(decide(rule, ballots, given)), NAMES)
    table.sort(expected)
    assert.same(expected, heads(decide(rule, renamed(ballots, NAMES), given)))
  end)
end

--- A ballot of weight n counts as n ballots.
function M.check_weights(rule, kind, more)
  local weights = { 2, 1, 3, 1, 1 }
  M.each_sampled(kind, function(ballots, options)
    local many = {}
    for i, ballot in ipairs(ballots) do
      ballot.weight = weights[i] * 0.1
      for copies = 1, weights[i] do
        local one = copy(ballot)
        one.voter, one.weight = ballot.voter .. "/" .. copies, nil
        many[#many + 1] = one
      end
    end
    local given = options_for(options, more)
    assert.same(heads(decide(rule, many, given)), heads(decide(rule, ballots, given)))
  end)
end

--- These, as tests; `it` is that of the spec.
function M.properties(it, rule, kind, more)
  it("agrees with brute force on small electorates", function() M.check_against_reference(rule, kind, more) end)
  it("is pure, and the order of the voters does not matter", function() M.check_anonymity(rule, kind, more) end)
  it("counts a ballot of weight n as n ballots", function() M.check_weights(rule, kind, more) end)
end

--- Where the names of the options do not matter either.
function M.neutral_properties(it, rule, kind, more)
  M.properties(it, rule, kind, more)
  it("treats the options alike", function() M.check_neutrality(rule, kind, more) end)
end

return M
