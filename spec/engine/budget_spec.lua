local budget = require "curia.engine.budget"
local random = require "curia.engine.random"

-- Takes retries until there are no more.
local function drain(b, is_chair)
  local count = 0
  while b:retry(is_chair) do count = count + 1 end
  return count
end

describe("the retry budget", function()
  it("allows 1.2 times the calls and 3", function()
    for calls = 1, 100 do
      local b = budget.new(false)
      for _ = 1, calls do b:call() end
      assert.equal(math.floor(1.2 * calls + 3 + 1e-9) - calls, drain(b, false))
    end
  end)

  it("leaves the chair two, whenever its call comes", function()
    for calls = 0, 50 do
      local b = budget.new(true)
      for _ = 1, calls do b:call() end
      drain(b, false)
      b:call()
      assert.is_true(drain(b, true) >= 2, calls)
      assert.is_true(b.attempts <= 1.2 * b.calls + 3)
    end
  end)

  it("is never more than its formula, in any order of calls and retries", function()
    local numbers = random.new(3)
    for _ = 1, 200 do
      local b = budget.new(numbers:number() < 0.5)
      for _ = 1, 100 do
        if numbers:number() < 0.3 then b:call() else b:retry(numbers:number() < 0.2) end
        if b.calls > 0 then assert.is_true(b.attempts <= 1.2 * b.calls + 3) end
      end
    end
  end)
end)
