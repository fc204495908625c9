local budget = require "curia.engine.retry_budget"
local random = require "curia.engine.random"

-- Takes retries until there are no more.
local function drain(b, is_chair)
  local count = 0
  while b:retry(is_chair) do count = count + 1 end
  return count
end

-- A plan of so many members in so many rounds, then the chair if there is one.
local function plan(members, rounds, chair)
  local made = { members = {}, rounds = {}, chair = chair and {} or nil }
  for i = 1, members do made.members[i] = {} end
  for i = 1, rounds do made.rounds[i] = { module = {} } end
  if chair then made.rounds[#made.rounds + 1] = { module = { chair = true } } end
  return made
end

describe("the retry budget", function()
  it("allows 1.2 times the calls and 3", function()
    for calls = 1, 100 do
      local b = budget.new(plan(calls, 1))
      for _ = 1, calls do b:call() end
      assert.equal(math.floor(1.2 * calls + 3 + 1e-9) - calls, drain(b, false))
    end
  end)

  it("leaves the chair two, however many calls there are and in whichever round members fail", function()
    for members = 1, 20 do
      for rounds = 1, 4 do
        local b = budget.new(plan(members, rounds, true))
        for _ = 1, rounds do
          for _ = 1, members do b:call() end
          drain(b, false)
        end
        b:call()
        assert.is_true(drain(b, true) >= 2, members .. "x" .. rounds)
        assert.is_true(b.attempts <= 1.2 * b.calls + 3)
      end
    end
  end)

  it("counts what is still to come: a longer council may try more often at its beginning", function()
    local function retries_of_first_round(rounds)
      local b = budget.new(plan(3, rounds, true))
      for _ = 1, 3 do b:call() end
      return drain(b, false)
    end
    assert.equal(1, retries_of_first_round(1))
    assert.equal(2, retries_of_first_round(2))
  end)

  it("of a free run keeps the chair's two as well", function()
    local free = plan(3, 0, true)
    free.run = print
    local b = budget.new(free)
    for _ = 1, 3 do b:call() end
    drain(b, false)
    b:call()
    assert.is_true(drain(b, true) >= 2)
  end)

  it("is never more than its formula, in any order of calls and retries", function()
    local numbers = random.new(3)
    for _ = 1, 200 do
      local b = budget.new(plan(10, 3, numbers:number() < 0.5))
      for _ = 1, 100 do
        if numbers:number() < 0.3 then b:call() else b:retry(numbers:number() < 0.2) end
        if b.calls > 0 then assert.is_true(b.attempts <= 1.2 * b.calls + 3) end
      end
    end
  end)
end)
