local logprob = require "curia.confidence.logprob"
local T = require "spec.engine.support"

local function measure(logprobs)
  return logprob.measure({ logprobs = logprobs }, nil, { provider_name = "test" })
end

local function tokens(...)
  local list = {}
  for i, value in ipairs { ... } do list[i] = { token = "t", logprob = value } end
  return list
end

describe("logprob", function()
  it("is the geometric mean of the probabilities", function()
    assert.is_true(math.abs(measure(tokens(math.log(0.9), math.log(0.4))) - 0.6) < 1e-12)
    assert.equal(1, measure(tokens(0, 0, 0)))
    assert.equal(1, measure(tokens(1e-7)))
    assert.is_true(measure(tokens(-9999)) == 0)
  end)

  it("does not depend on the length", function()
    local long = {}
    for i = 1, 1000 do long[i] = { logprob = math.log(0.8) } end
    assert.is_true(math.abs(measure(long) - 0.8) < 1e-9)
  end)

  it("is none without log probabilities", function()
    for _, given in ipairs { {}, { {} }, { { logprob = "x" } }, { "x" }, "text" } do
      local value, why = measure(given)
      assert.is_nil(value)
      assert.equal("provider test gave no log probabilities with the answer", why)
    end
    assert.is_nil(measure(nil))
  end)

  it("wants them of the adapter", function()
    local request = {}
    logprob.prepare(request)
    assert.is_true(request.logprobs)
  end)

  it("gives the result a confidence, or a note", function()
    T.answers { a = { content = "Paris", logprobs = { math.log(0.5), math.log(0.5) } }, b = "Rome" }
    local results = T.ask({ ids = { "a", "b" }, confidence = "logprob" }).rounds[1].results
    assert.is_true(math.abs(results.a.confidence - 0.5) < 1e-12)
    assert.is_nil(results.a.metadata)
    assert.is_nil(results.b.confidence)
    assert.matches("no log probabilities", results.b.metadata.confidence_note)
  end)
end)
