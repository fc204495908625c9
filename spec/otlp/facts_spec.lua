local facts = require "curia.otlp.facts"

-- The values of some fields, by their names.
local function told(fields, measurements, metadata)
  local same = {}
  for _, field in ipairs(fields) do same[field] = field end
  return facts.add({}, same, measurements, metadata)
end

describe("the facts of an event", function()
  it("are its measurements and its metadata, as far as they are asked for", function()
    assert.same({ input_tokens = 7, run_id = "r" },
      told({ "input_tokens", "run_id", "group" }, { input_tokens = 7, output_tokens = 3 }, { run_id = "r", council = "c" }))
  end)

  it("add to what is there", function()
    assert.same({ a = 1, b = 2 }, facts.add({ a = 1 }, { field = "b" }, { field = 2 }, {}))
  end)

  it("name a provider as the conventions do", function()
    assert.same({ provider = "gcp.gemini" }, told({ "provider" }, {}, { provider = "gemini" }))
    assert.same({ provider = "mine" }, told({ "provider" }, {}, { provider = "mine" }))
  end)

  it("take hosts and ports apart", function()
    local function of(host) return told({ "server", "port" }, {}, { host = host }) end
    assert.same({ server = "api.example.org" }, of "api.example.org")
    assert.same({ server = "localhost", port = 8080 }, of "localhost:8080")
    assert.same({ server = "::1", port = 1 }, of "[::1]:1")
    assert.same({}, of(nil))
  end)

  it("are of one type each", function()
    local found = told({ "cost_usd", "confidence", "first_token_s", "finish_reasons" }, { first_token_us = 1500000 },
      { cost = { usd = 1 }, confidence = 1, finish_reason = "stop" })
    assert.same({ cost_usd = 1.0, confidence = 1.0, first_token_s = 1.5, finish_reasons = { "stop" } }, found)
    for _, field in ipairs { "cost_usd", "confidence" } do assert.equal("float", math.type(found[field])) end
  end)

  it("look into the response and the decision", function()
    assert.same({ response_model = "m-1", response_id = "id", finish_reasons = { "length" }, winner = "a" },
      told({ "response_model", "response_id", "finish_reasons", "winner" }, {}, {
        response = { model = "m-1", provider_id = "id", finish_reason = "length" }, decision = { winner = "a" },
      }))
    assert.same({}, told({ "winner", "response_model" }, {}, { decision = { winner = { "a", "b" } } }))
  end)
end)
