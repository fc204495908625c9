local clock = require "curia.core.clock"
local read = require "curia.ballots.read"

local CRITERIA = { { name = "correctness" }, { name = "style (1)" } }

local function choice(text)
  return read.choice({ content = text }, function(label)
    if label == "Response B" or label == "B" then return "b" end
    return nil, "names no answer: " .. tostring(label)
  end)
end

describe("curia.ballots.read", function()
  it("takes a structured answer for what was said, else the JSON in the text", function()
    assert.same({ choice = "x" }, read.said { content = "nonsense", parsed = { choice = "x" } })
    local said, remarks = read.said { content = 'Well. {"choice": "x"}' }
    assert.same({ "x", "Well." }, { said.choice, remarks })
    assert.is_nil(read.said { content = "nothing" })
  end)

  it("finds what stands behind the last heading", function()
    assert.equal(": two", read.behind("Vote: one\nVOTE: two", { "vote" }))
    assert.equal(": one", read.behind("Choice: one", { "final choice", "choice" }))
    assert.is_nil(read.behind("nothing", { "vote" }))
  end)

  it("reads a choice from JSON, fenced JSON and prose, with reason, confidence and remarks", function()
    for _, text in ipairs {
      '{"choice": "Response B", "rationale": "deep", "confidence": 0.8}',
      'So.\n```json\n{"choice": "Response B", "confidence": "80%"}\n```',
      'I think {so}: {"choice": "B"} and that is all.',
      "Both are good.\nFINAL VOTE: **Response B**\n",
      "My choice: Response A would be wrong.\n\nFinal choice: Response B",
    } do
      assert.equal("b", choice(text).choice, text)
    end
    local ballot = choice('Well. {"choice": "Response B", "rationale": "deep", "confidence": 0.8}')
    assert.same({ choice = "b", rationale = "deep", confidence = 0.8, remarks = "Well." }, ballot)
  end)

  it("says why a choice cannot be read", function()
    assert.same({ discarded = "no choice could be read" }, choice "I cannot decide.")
    assert.same({ discarded = "no choice could be read" }, choice '{"verdict": "B"}')
    assert.same({ discarded = "names no answer: Response X" }, choice '{"choice": "Response X"}')
    assert.same("names no answer: ", choice('{"choice": ["Response B"]}').discarded:sub(1, 17))
  end)

  it("reads how sure the voter is, where it says so in one way only", function()
    for stated, wanted in pairs { ["0.8"] = 0.8, ['"80%"'] = 0.8, ["80"] = 0.8, ["0"] = 0, ["1"] = 1 } do
      assert.equal(wanted, choice(('{"choice": "B", "confidence": %s}'):format(stated)).confidence, stated)
    end
    for _, stated in ipairs { "5", "-0.1", '"high"', "[]", "null", "true", "1e999" } do
      assert.is_nil(choice(('{"choice": "B", "confidence": %s}'):format(stated)).confidence, stated)
    end
    assert.equal(0.9, choice("FINAL VOTE: Response B\nConfidence: 90%").confidence)
  end)

  it("reads scores from JSON, or from the lines that some models write", function()
    local scores = { ["Response B"] = { correctness = 7, ["style (1)"] = 8.5 } }
    assert.same(scores, (read.scores({ content = '{"scores": {"Response B": {"correctness": 7, "style (1)": 8.5}}}' }, CRITERIA)))
    assert.same(scores, (read.scores({ content = "FINAL SCORES:\n- **Response B**: correctness 7/10, style (1): 8.5\n" }, CRITERIA)))
    assert.same({ ["Response B"] = 7 }, (read.scores({ content = "Final scores\nResponse B: 7\n" }, CRITERIA)))
    assert.is_nil((read.scores({ content = "B is better." }, CRITERIA)))
  end)

  it("reads in a time that grows with the text only", function()
    for _, bomb in ipairs { ("vote:"):rep(50000), "FINAL VOTE:" .. (" "):rep(200000), "final scores" .. ("a"):rep(200000) .. ":",
      ("final scores\n"):rep(20000), "final scores\n" .. ("a "):rep(2000) .. ":" .. ("correctness"):rep(300) } do
      local began = clock.us()
      choice(bomb)
      read.scores({ content = bomb }, CRITERIA)
      assert.is_true(clock.us() - began < 60e6, bomb:sub(1, 20))
    end
  end)
end)
