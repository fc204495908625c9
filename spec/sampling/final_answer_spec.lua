local final_answer = require "curia.sampling.final_answer"
local json = require "curia.json"

local function of(content, parsed) return final_answer.of { content = content, parsed = parsed } end

describe("the final answer", function()
  it("is looked for in the parsed object, on the last line that says so, in JSON, and then is the text", function()
    assert.equal("a", of("Answer: b", { answer = "A" }))
    assert.equal("42", of("x", { final_answer = 42.0, note = "y" }))
    assert.equal('{"note":"y"}', of("x", { note = "y" }))
    assert.equal("yes", of("x", "Yes."))
    assert.equal("c", of('Answer: b\nbecause\n**Final answer:** C\n{"answer": "d"}'))
    assert.equal("d", of('I think {"answer": "D", "why": "x"}'))
    assert.equal("true", of '{"choice": true}')
    assert.equal("forty-two", of "  Forty-Two. ")
  end)

  it("stands on a line of its own, whatever decorates it", function()
    for _, line in ipairs { "Answer: 7", "answer : 7", "**Answer: 7**", "**Answer:** 7.", "- Answer: $7$", "## The answer: `7`",
      "> Final Answer: 7!" } do assert.equal("7", of(line), line) end
    assert.equal("my answer is: 7", of "My answer is: 7")
  end)

  it("is the same however it is written", function()
    local cases = {
      ["7"] = { "7", "7.0", " 7. ", "**7**", "+7", "'7'" },
      ["1250"] = { "1,250", "1250", "1,250.00", "$1,250" },
      ["-0.5"] = { "-0.5", "-.5", "-0.50" },
      ["new york"] = { "New York", "new  york.", "NEW\tYORK", "_New York_" },
      ["1,5"] = { "1,5" },
    }
    for expected, texts in pairs(cases) do
      for _, text in ipairs(texts) do assert.equal(expected, final_answer.normalise(text), text) end
    end
  end)

  it("is none where nothing is left", function()
    for _, text in ipairs { "", " \n ", "**", "..." } do assert.is_nil(of(text), text) end
    assert.is_nil(final_answer.text(nil))
    assert.is_nil(final_answer.text(json.null))
    assert.is_nil(final_answer.text(print))
  end)

  it("can be any value of a function", function()
    assert.equal("3", final_answer.text(3))
    assert.equal("false", final_answer.text(false))
    assert.equal('{"x":1}', final_answer.text { x = 1 })
  end)

  it("is read in a time that grows with the text only", function()
    local clock = require "curia.core.clock"
    for _, bomb in ipairs { (" "):rep(300000) .. "x", ("*"):rep(300000), ("answer:\n"):rep(50000), ("1,"):rep(100000),
      ("{"):rep(20000), ("a:"):rep(100000) } do
      local began = clock.us()
      of(bomb)
      assert.is_true(clock.us() - began < 60e6)
    end
  end)
end)
