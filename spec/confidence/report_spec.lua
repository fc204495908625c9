local report = require "curia.confidence.report"

local function reads(text, share, rest)
  local value, left = report.read(text)
  assert.equal(share, value, text)
  assert.equal(rest, left, text)
end

describe("a stated confidence", function()
  it("is read in the shapes in which models write it, and taken out", function()
    for _, line in ipairs {
      "Confidence: 85%", "**Confidence:** 85%", "**Confidence: 85%**", "Confidence: 0.85", "confidence = .85", "Confidence: 85",
      "Confidence: 85 percent", "Confidence level: ~85 %", "Confidence (0-100): 85", "My confidence is 85%.",
      "Overall confidence score: 85/100", "Confidence: 8.5 out of 10", "Confidence: 85% (0.85)", "Confidence: 0,85",
      "Confidence: 85%, because I know 3 sources.", "Confidence - 85%", "Confidence \226\128\148 85%", "> *Confidence:* `85%`",
      "| Confidence | 85% |", "2. Confidence: 85%", "- Confidence in this answer: 85%", "I am 85% confident.",
      "I'm about 85% sure of my answer.", "I\226\128\153m 85% confident", '{"confidence": 0.85}', '{"confidence": "85%"}',
      "Confidence: high (85%)", "Confidence: \226\137\13685%", "## Confidence\n85%", "Confidence:\n**85%**", '```json\n{"confidence": 85}\n```',
    } do
      reads("Paris.\n\n" .. line, 0.85, "Paris.")
      reads("Paris.\n" .. line .. "\n\n", 0.85, "Paris.")
    end
  end)

  it("is read at the end of a line of prose", function()
    reads("Paris. Confidence: 85%", 0.85, "Paris.")
    reads("It is Paris (confidence: 0.85)", 0.85, "It is Paris")
    reads("Paris. My confidence is 8/10.", 0.8, "Paris.")
    reads("\229\183\180\233\187\142 Confidence: 85%", 0.85, "\229\183\180\233\187\142")
    local long = ("A long line about Paris. "):rep(100)
    reads(long .. "Confidence: 85%", 0.85, long:sub(1, -2))
    reads("Rome or not?\n" .. long .. "Confidence: 85%", 0.85, "Rome or not?\n" .. long:sub(1, -2))
  end)

  it("is found with something else behind it", function()
    reads("Paris\nConfidence: 85%\n\nHope this helps!", 0.85, "Paris\n\nHope this helps!")
    reads("```\nParis\nConfidence: 85%\n```", 0.85, "```\nParis\n```")
    reads("Confidence: 85%\nParis", 0.85, "Paris")
    reads("Paris\r\nConfidence: 85%\r\n", 0.85, "Paris")
  end)

  it("is the last of several", function()
    reads("Paris\nConfidence: 15%\nConfidence: 95%", 0.95, "Paris")
  end)

  it("is none where it cannot be read in one way, and is taken out all the same", function()
    for _, line in ipairs {
      "Confidence: 150%", "Confidence: 80-90%", "Confidence: 80% or 90%", "Confidence: high", "Confidence: -5%", "Confidence: 8",
      "Confidence: 12/10", "Confidence: 3/0", "Confidence: 1,000%", "Confidence: 101", "Confidence: 99999999999999999999%",
      "Confidence: 1e2%", "Confidence: 85% \194\177 5%", '{"confidence": 8}', '{"confidence": -1}', '{"confidence": "very"}',
    } do
      local value, rest, stated = report.read("Paris\n" .. line)
      assert.is_nil(value, line)
      assert.equal("Paris", rest, line)
      assert.is_true(stated, line)
    end
  end)

  it("keeps the ends of the scale", function()
    for text, share in pairs { ["0%"] = 0, ["0"] = 0, ["1"] = 1, ["100"] = 1, ["100%"] = 1, ["1%"] = 0.01, ["10/10"] = 1, ["0.5%"] = 0.005 } do
      assert.equal(share, report.number(text), text)
    end
    for _, text in ipairs { "", "high", "2", "10", "1.5", "%", "-1", "." } do assert.is_nil(report.number(text), text) end
  end)

  it("leaves alone what states nothing", function()
    for _, text in ipairs {
      "Paris", "Confidence in the market is at a 5 year low.", "I am 30 years old and confident", "100% of them agree",
      "I am 85% confident that it is Paris.", "Confidence: the key to success", "I am sure", "", "\n\n", "confidence",
      "Confidence: see chapter 5 of the book", 'Send {"confidence": 0.9} and wait for the answer.',
      "```json\n{\"confidence\": 0.9}\n```\nis what the server answers.", "A confidence interval of 95% is usual.",
      'He said: "Confidence: 85%" and left the room with the others, for good reasons.',
    } do
      local value, rest, stated = report.read(text)
      assert.is_nil(value, text)
      assert.equal(text, rest)
      assert.is_false(stated, text)
    end
  end)

  it("is read from a field of an object, which stays whole", function()
    for _, text in ipairs { '{"answer":"Paris","confidence":0.85}', '{\n  "answer": "Paris",\n  "confidence": 0.85\n}',
      '{"answer":"Paris","confidence_score":"85%"}', 'Well:\n{"choice": "A", "confidence": 85}' } do
      reads(text, 0.85, text)
    end
    assert.equal('{"answer":"Paris"}', report.without_field('{"answer":"Paris","confidence":0.85}', "confidence"))
    assert.equal("no object", report.without_field("no object", "confidence"))
  end)

  it("takes no time over hostile texts", function()
    local began = os.clock()
    for _, piece in ipairs { "confidence", "confidence: ", "(", "1", "1/", "is ", "{", "\n", "confidence: 1\n", "i am ", " - ", "1,", "%" } do
      report.read(piece:rep(300000 // #piece))
    end
    assert.is_true(os.clock() - began < 20)
  end)
end)
