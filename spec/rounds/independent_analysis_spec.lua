local R = require "spec.rounds.support"

describe("independent_analysis", function()
  it("asks the question and shows nothing of the others", function()
    local asked, result = R.prompts({ "independent_analysis", { type = "independent_analysis", name = "again" } }, R.tell)
    for _, id in ipairs { "a", "b", "c" } do
      assert.equal("Why?", asked.independent_analysis[id])
      assert.equal("Why?", asked.again[id])
    end
    assert.equal("ok", result.status)
    assert.is_nil(result.rounds[1].decision)
  end)

  it("uses each member's own prompt", function()
    local asked = R.prompts({ "independent_analysis" }, R.tell, { members = {
      a = { prompt = "Say it short: {question}" }, b = { prompt = function(input) return input.question:rep(2) end } } })
    assert.equal("Say it short: Why?", asked.independent_analysis.a)
    assert.equal("Why?Why?", asked.independent_analysis.b)
    assert.equal("Why?", asked.independent_analysis.c)
  end)
end)
