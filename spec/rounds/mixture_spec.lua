local T = require "spec.engine.support"
local curia = require "curia"
local helper = require "spec.helper"

-- What member `id` was asked in the second round, and the result.
local function asked(id, body)
  local prompt
  T.script { rules = {
    { match = { round = "mixture" }, answer = function(request)
      if request.member == id then prompt = request.messages[#request.messages].content end
      return "better"
    end },
    { match = { member = "a" }, answer = "first of A" }, { match = { member = "b" }, answer = "first of B" },
  } }
  body = body or {}
  body.ids, body.rounds = { "a", "b" }, { "independent_analysis", "mixture" }
  local result = helper.virtual(function() return curia.run(T.council(body), "Why?") end)
  return prompt, result
end

describe("a mixture of agents", function()
  it("shows each member all answers, its own among them, without names", function()
    local prompt, result = asked "a"
    assert.equal("better", result.rounds[2].results.a.response.content)
    assert.matches('<answer from="Response A">\nfirst of A', prompt, 1, true)
    assert.matches('<answer from="Response B">\nfirst of B', prompt, 1, true)
  end)

  it("asks all members the same", function()
    assert.equal((asked "a"), (asked "b"))
  end)

  it("has nothing to build on where nobody has answered", function()
    T.script "x"
    local result = helper.virtual(function()
      return curia.run(T.council { ids = { "a" }, rounds = { "mixture" } }, "Why?")
    end)
    assert.equal("nothing_to_review", result.rounds[1].results.a.error.code)
  end)
end)
