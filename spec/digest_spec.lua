local R = require "spec.rounds.support"

-- The chair's prompt.
local function prompt_after(kind, judge, options)
  local round = { type = kind }
  for name, value in pairs(options or {}) do round[name] = value end
  local asked = R.prompts({ "independent_analysis", round }, function(name, member)
    return name == kind and judge(member) or R.tell(name, member)
  end, { chair = true })
  return asked.synthesis.chair
end

describe("the digest for the chair", function()
  it("tells votes, with reasons, confidences, and names instead of labels", function()
    local prompt = prompt_after("vote", function(member)
      return ('{"choice": "Response %s", "rationale": "better than Response C", "confidence": 0.8}'):format(
        member == "b" and "A" or "B")
    end)
    assert.is_true(R.holds(prompt, "Votes for b (confidence 0.80).\nbetter than c"))
    assert.is_true(R.holds(prompt, "Ranking by the members, best first:\n1. b (2.00)"))
    assert.is_false(R.holds(prompt, "Response"))
  end)

  it("tells scores, the best first", function()
    local prompt = prompt_after("scoring", function(member)
      local one, two = member == "a" and "B" or "A", member == "c" and "B" or "C"
      return ('{"scores": {"Response %s": {"x": 1}, "Response %s": {"x": 10}}}'):format(one, two)
    end, { rubric = { "x" } })
    assert.is_true(R.holds(prompt, "Scores c 1.00, b 0.00."))
  end)

  it("tells a tie, who broke it, and that nobody has won", function()
    local function vote(member) return ('{"choice": "%s"}'):format(member == "a" and "x" or member == "b" and "y" or "z") end
    local prompt = prompt_after("vote", vote, { options = { "x", "y", "z" } })
    assert.is_true(R.holds(prompt, "It is a tie between x, y, z."))
    prompt = prompt_after("vote", vote, { options = { "x", "y", "z" }, rule = "majority" })
    assert.is_true(R.holds(prompt, "By the council's rule none of them has won."))
  end)

  it("tells each iteration of a round where all count, else the last word", function()
    local once = { name = "once", build = function() return "which?" end }
    local twice = { name = "twice", run = function(ctx)
      ctx.result.metadata.cumulative = ctx.opts.all
      for _ = 1, 2 do ctx.result.results = ctx:round(once).results end
    end, options = { all = { type = "boolean" } } }
    local asked = R.prompts({ { type = twice, all = true } }, R.tell, { chair = true })
    local prompt = asked.synthesis.chair
    assert.is_true(R.holds(prompt, '== twice, iteration 1 ==\n\n<answer from="a">\n<once by a>\n</answer>'))
    assert.is_true(R.holds(prompt, "== twice, iteration 2 =="))
    asked = R.prompts({ { type = twice } }, R.tell, { chair = true })
    assert.is_true(R.holds(asked.synthesis.chair, "== twice =="))
  end)

  it("tells a ballot that could not be read as it was written", function()
    local prompt = prompt_after("vote", function() return "I cannot decide." end)
    assert.is_true(R.holds(prompt, "I cannot decide."))
    assert.is_true(R.holds(prompt, "No ranking could be made."))
  end)
end)
