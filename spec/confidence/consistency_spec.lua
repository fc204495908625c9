local consistency = require "curia.confidence.consistency"
local T = require "spec.engine.support"

-- The answer first, then the samples in any order.
local function ask(answers, options, fields)
  T.answers { a = answers }
  options.strategy = "consistency"
  fields = fields or {}
  fields.confidence = options
  local result = T.ask { ids = { "a" }, members = { a = fields } }
  return result.rounds[1].results.a, result
end

describe("consistency", function()
  it("is the share of samples that agree with the answer", function()
    local result = ask({ "Paris", "paris.", "**Paris**", "Rome", "Paris" }, { samples = 4 })
    assert.equal("Paris", result.response.content)
    assert.equal(0.75, result.confidence)
    assert.equal(0, ask({ "Paris", "Rome" }, { samples = 2 }).confidence)
    assert.equal(1, ask({ "Paris" }, {}).confidence)
  end)

  it("asks five times where it is not told how often, and counts as the member's attempts and cost", function()
    local member, result = ask({ { content = "Paris", cost = 1, usage = { input_tokens = 1 } } }, {})
    assert.equal(6, member.attempts)
    assert.equal(6, result.usage.input_tokens)
    assert.equal(6, result.cost.usd)
  end)

  it("compares data, whatever the order of its keys", function()
    local response = { content = "", parsed = { a = 1, b = 2 } }
    local probe = { samples = function() return { { parsed = { b = 2, a = 1 } }, { parsed = { a = 2, b = 1 } } } end }
    assert.equal(0.5, consistency.measure(response, nil, nil, probe, {}))
  end)

  it("compares what is extracted from the answers", function()
    local options = { samples = 2, extract = function(response) return response.content:match "%d+" end }
    assert.equal(0.5, ask({ "It is 42.", "Surely 42!", "I do not know" }, options).confidence)
    local none = ask({ "No idea" }, options)
    assert.is_nil(none.confidence)
    assert.equal(1, none.attempts)
    assert.matches("nothing to compare", none.metadata.confidence_note)
  end)

  it("loses only the samples that fail, and is none where all do", function()
    local failing = { content = "", error = 400 }
    local result = ask({ "Paris", failing, "Paris", "Rome" }, { samples = 3 })
    assert.equal(0.5, result.confidence)
    result = ask({ "Paris", failing }, { samples = 3 })
    assert.equal("ok", result.status)
    assert.is_nil(result.confidence)
    assert.matches("none of the samples", result.metadata.confidence_note)
  end)
end)
