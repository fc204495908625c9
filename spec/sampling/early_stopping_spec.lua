local early_stopping = require "curia.sampling.early_stopping"
local random = require "curia.engine.random"
local tallies = require "curia.sampling.tally"

local function tally_of(text)
  local tally = tallies.new()
  for answer in text:gmatch "." do tally:add(answer) end
  return tally
end

-- ---- a reference by brute force ---------------------------------------------------------------

-- The outcome as a text: an option, "tie", or "none". Counted anew from the votes.
local OUTCOME = {
  plurality = function(counts)
    local best, outcome = 0, "none"
    for option, count in pairs(counts) do
      if count > best then best, outcome = count, option
      elseif count == best then outcome = "tie" end
    end
    return outcome
  end,
  majority = function(counts)
    local total = 0
    for _, count in pairs(counts) do total = total + count end
    for option, count in pairs(counts) do
      if count * 2 > total then return option end
    end
    return "none"
  end,
}

local OPTIONS = { "x", "y", "z" }
local LONGEST = os.getenv "CURIA_GC_STRESS" and 3 or 6

-- Calls fn(counts) for every way in which `left` votes to come may go: each to an option, or to nobody.
local function completions(counts, left, fn, from)
  fn(counts)
  if left == 0 then return end
  for i = from or 1, #OPTIONS do
    local option = OPTIONS[i]
    counts[option] = (counts[option] or 0) + 1
    completions(counts, left - 1, fn, i)
    counts[option] = counts[option] > 1 and counts[option] - 1 or nil
  end
end

local function can_change(text, left, rule)
  local outcome_of, counts, changes = OUTCOME[rule], {}, false
  for option in text:gmatch "." do counts[option] = (counts[option] or 0) + 1 end
  local now = outcome_of(counts)
  completions(counts, left, function(after)
    if outcome_of(after) ~= now or now == "tie" then changes = true end
  end)
  return changes
end

-- Calls fn for each text of up to `longest` votes.
local function texts(longest, fn, text)
  text = text or ""
  if #text > 0 then fn(text) end
  if #text == longest then return end
  for _, option in ipairs(OPTIONS) do texts(longest, fn, text .. option) end
end

describe("unassailable", function()
  for _, rule in ipairs { "plurality", "majority" } do
    it("says by " .. rule .. " exactly when no vote to come can change the outcome, in all small electorates", function()
      local settled, open = 0, 0
      texts(LONGEST, function(text)
        local tally = tally_of(text)
        for left = 0, 5 do
          local expected = not can_change(text, left, rule)
          assert.equal(expected, early_stopping.unassailable(tally, left, rule), ("%s and %d more"):format(text, left))
          if expected then settled = settled + 1 else open = open + 1 end
        end
      end)
      assert.is_true(settled > 30 and open > 30)
    end)
  end
end)

describe("posterior", function()
  -- The part of Beta(a, b) above 1/2 by Simpson's rule: 1 - I(1/2; a, b).
  local function integral(a, b)
    local function density(x) return x ^ (a - 1) * (1 - x) ^ (b - 1) end
    local function simpson(from, to)
      local n, sum = 2000, density(from) + density(to)
      for i = 1, n - 1 do sum = sum + density(from + (to - from) * i / n) * (i % 2 == 1 and 4 or 2) end
      return sum * (to - from) / n / 3
    end
    return simpson(0.5, 1) / simpson(0, 1)
  end

  it("is the part of the Beta distribution above one half", function()
    for best = 0, 12 do
      for second = 0, best do
        local given = early_stopping.posterior { best = best, second = second }
        assert.is_true(math.abs(given - integral(best + 1, second + 1)) < 1e-9, best .. ":" .. second)
      end
    end
  end)

  it("holds for many votes", function()
    assert.is_true(math.abs(early_stopping.posterior { best = 3000, second = 3000 } - 0.5) < 1e-9)
    assert.is_true(early_stopping.posterior { best = 3200, second = 2800 } > 0.9999)
    assert.is_true(early_stopping.posterior { best = 3200, second = 2800 } <= 1)
  end)

  it("reaches 0.95 after four equal answers, as in the paper's rule", function()
    assert.is_true(early_stopping.posterior(tally_of "xxx") < 0.95)
    assert.equal(1 - 1 / 32, early_stopping.posterior(tally_of "xxxx"))
  end)
end)

describe("window", function()
  it("is content with a full window of equal answers, and nothing else", function()
    for text, expected in pairs {
      xxx = true, xx = false, xxy = false, xxyyyy = true, xyyyyx = false, xyyyxx = false, xxyxxx = true, [""] = false,
    } do
      assert.equal(expected, early_stopping.window(tally_of(text), 3), text)
    end
  end)
end)

describe("the test of an option", function()
  it("gives its reason, or nothing", function()
    local function reason(wanted, text, left) return early_stopping.test(wanted, "plurality")(tally_of(text), left) or nil end
    assert.equal("unassailable", reason("unassailable", "xxx", 2))
    assert.is_nil(reason("unassailable", "xxx", 3))
    assert.equal("posterior", reason({ posterior = 0.9 }, "xxx", 9))
    assert.equal("window", reason({ window = 3 }, "xxx", 9))
    assert.equal("posterior", reason({ window = 2, posterior = 0.9 }, "xyxxxx", 9))
    assert.is_nil(reason({ window = 4, posterior = 0.99 }, "xxx", 9))
    assert.is_nil(reason({}, "xxx", 0))
  end)

  it("is refused where nothing is proven", function()
    local test, message = early_stopping.test("unassailable", "median")
    assert.is_nil(test)
    assert.matches("not for median", message)
    assert.is_nil((early_stopping.test("unassailable", print)))
    assert.is_function(early_stopping.test({ window = 5 }, "median"))
  end)

  it("saves more than half of the calls on easy questions, with the same answers", function()
    local dice, calls, same = random.new(7), 0, 0
    local test = early_stopping.test({ posterior = 0.99 }, "plurality")
    for _ = 1, 300 do
      local tally, asked, early = tallies.new(), nil, nil
      for i = 1, 40 do
        tally:add(dice:number() < 0.85 and "right" or "wrong " .. dice:integer(3))
        if not asked and test(tally, 40 - i) then asked, early = i, tally.leader end
      end
      calls, same = calls + (asked or 40), same + (early == tally.leader and 1 or 0)
    end
    assert.is_true(calls < 300 * 40 / 2)
    assert.equal(300, same)
  end)
end)
