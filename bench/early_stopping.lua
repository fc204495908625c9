--- How many calls early stopping saves, and what that costs in accuracy: a simulation, without network and with a fixed
-- seed, on the tests that the round `sample` stops by.
--
--     build/release/bin/curia lua bench/early_stopping.lua [--questions N] [--samples N] [--seed N]
--
-- Members of given strengths answer questions of given difficulty: a member gives the right answer with its own
-- probability, and else one of the wrong ones; the right answer to a hard question is often not the most frequent one,
-- and a disputed question has but one wrong answer, which is nearly as frequent as the right one. All samples of a
-- question are drawn at once, so that each test is compared with asking for all of them on the very same answers.
-- "same" is how often it ends with the same winner.
local early_stopping = require "curia.sampling.early_stopping"
local random = require "curia.engine.random"
local rules = require "curia.rules"
local tallies = require "curia.sampling.tally"
local task = require "curia.task"

local MEMBERS = { 1.0, 0.9, 0.8, 0.7 } -- strengths: the factor of the probability to be right

-- The shares of the wrong answers: many, of which the first tempts most, or a single one.
local MANY, ONE = { 0.4, 0.25, 0.15, 0.1, 0.1 }, { 1 }

-- How likely a member of strength 1 is to be right: drawn anew for each question, between these two.
local DIFFICULTIES = {
  { name = "easy", low = 0.85, high = 0.99, wrong = MANY },
  { name = "medium", low = 0.5, high = 0.85, wrong = MANY },
  { name = "hard", low = 0.2, high = 0.5, wrong = MANY },
  { name = "disputed", low = 0.5, high = 0.75, wrong = ONE },
}

local TESTS = {
  { name = "unassailable", wanted = "unassailable" },
  { name = "posterior 0.95", wanted = { posterior = 0.95 } },
  { name = "posterior 0.99", wanted = { posterior = 0.99 } },
  { name = "posterior 0.999", wanted = { posterior = 0.999 } },
  { name = "window 5", wanted = { window = 5 } },
  { name = "window 8", wanted = { window = 8 } },
}

local RULES = { "plurality", "majority" }

local USAGE = "usage: curia lua bench/early_stopping.lua [--questions N] [--samples N] [--seed N]\n"

local function flags(args)
  local found = { questions = 5000, samples = 10, seed = 1 }
  for i = 1, #args, 2 do
    local name, value = args[i]:match "^%-%-(.+)$", math.tointeger(tonumber(args[i + 1]))
    if not found[name] or not value then
      io.stderr:write("early_stopping: cannot read ", args[i], "\n", USAGE)
      os.exit(64)
    end
    found[name] = value
  end
  return found
end

-- ---- answers ------------------------------------------------------------------------------------

local function wrong_answer(shares, dice)
  local left = dice:number()
  for i, share in ipairs(shares) do
    left = left - share
    if left < 0 then return "wrong " .. i end
  end
  return "wrong 1"
end

-- The answers to one question in the order in which the round asks: the first of each member, then the second ...
local function answers_to(difficulty, samples, dice)
  local chance = difficulty.low + dice:number() * (difficulty.high - difficulty.low)
  local answers = {}
  for _ = 1, samples do
    for _, strength in ipairs(MEMBERS) do
      local right = dice:number() < chance * strength
      answers[#answers + 1] = right and "right" or wrong_answer(difficulty.wrong, dice)
    end
  end
  return answers
end

-- ---- one question -------------------------------------------------------------------------------

local function winner_of(answers, count, rule)
  local ballots = {}
  for i = 1, count do ballots[i] = { voter = "sample " .. i, choice = answers[i] } end
  return rules.decide(rule, ballots).winner
end

-- How many answers are asked for until the test is content.
local function asked(answers, test)
  local tally = tallies.new()
  for i, answer in ipairs(answers) do
    tally:add(answer)
    if test(tally, #answers - i) then return i end
  end
  return #answers
end

-- ---- many questions -----------------------------------------------------------------------------

local function measure(difficulty, rule, options, test)
  local dice = random.new(options.seed)
  local sums = { calls = 0, all = 0, right = 0, right_of_all = 0, same = 0 }
  for _ = 1, options.questions do
    local answers = answers_to(difficulty, options.samples, dice)
    local count = asked(answers, test)
    local early, late = winner_of(answers, count, rule), winner_of(answers, #answers, rule)
    sums.calls, sums.all = sums.calls + count, sums.all + #answers
    sums.right = sums.right + (early == "right" and 1 or 0)
    sums.right_of_all = sums.right_of_all + (late == "right" and 1 or 0)
    sums.same = sums.same + (early == late and 1 or 0)
    task.sleep(0) -- the watchdog ends scripts that never wait
  end
  return sums
end

local ROW = "%-10s %-9s %-16s %8s %10s %10s %8s %8s"

local function row(rule, difficulty, test, options)
  local sums = measure(difficulty, rule, options, assert(early_stopping.test(test.wanted, rule)))
  local function percent(count) return ("%.2f"):format(100 * count / options.questions) end
  print(ROW:format(rule, difficulty.name, test.name, ("%.1f"):format(100 * sums.calls / sums.all), percent(sums.right),
    percent(sums.right_of_all), ("%+.2f"):format(100 * (sums.right - sums.right_of_all) / options.questions),
    percent(sums.same)))
end

local function report(options)
  print(("%d questions each, %d members, %d samples each, seed %d\n"):format(
    options.questions, #MEMBERS, options.samples, options.seed))
  print(ROW:format("rule", "", "until", "calls %", "accuracy", "of all", "points", "same %"))
  for _, rule in ipairs(RULES) do
    for _, difficulty in ipairs(DIFFICULTIES) do
      for _, test in ipairs(TESTS) do row(rule, difficulty, test, options) end
    end
  end
end

report(flags(arg or {}))
