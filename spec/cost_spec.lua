local cost = require "curia.cost"

local function usd(value)
  return value and math.floor(value.usd * 1e9 + 0.5) / 1e9
end

local PRICES = { m = { input = 2, cached = 0.5, cache_write = 4, output = 10,
  long = { over = 1000, input = 20, output = 100 } }, plain = { input = 1, output = 2 } }

describe("cost", function()
  it("counts each kind of token at its price", function()
    local usage = { input_tokens = 1000, output_tokens = 100, cached_tokens = 400, cache_write_tokens = 100 }
    local value = cost.of(usage, "m", nil, PRICES)
    assert.equal((500 * 2 + 400 * 0.5 + 100 * 4 + 100 * 10) / 1e6, usd(value))
    assert.equal("price_table", value.source)
    assert.equal((1000 + 200) / 1e6, usd(cost.of(usage, "plain", nil, PRICES)))
  end)

  it("has other prices for long inputs", function()
    assert.equal((2000 * 20 + 100) / 1e6, usd(cost.of({ input_tokens = 2000, output_tokens = 1 }, "m", nil, PRICES)))
  end)

  it("never counts more cached tokens than came in", function()
    assert.equal(5e-6, usd(cost.of({ input_tokens = 10, output_tokens = 0, cached_tokens = 99 }, "m", nil, PRICES)))
  end)

  it("stays unknown without a price or without counts", function()
    assert.is_nil(cost.of({ input_tokens = 1, output_tokens = 1 }, "nobody"))
    assert.is_nil(cost.of({ input_tokens = 1 }, "gpt-4o"))
    assert.is_nil(cost.of({}, nil))
  end)

  it("finds models with vendors, snapshots and dots", function()
    local mini = assert(cost.price "gpt-4o-mini")
    assert.equal(mini, cost.price "gpt-4o-mini-2024-07-18")
    assert.equal(mini, cost.price "openai/gpt-4o-mini")
    assert.equal(assert(cost.price "claude-sonnet-4-5"), cost.price "anthropic/claude-sonnet-4.5")
    assert.equal(assert(cost.price "claude-3-7-sonnet"), cost.price "claude-3-7-sonnet@20250219")
    assert.equal(assert(cost.price "gemini-2.0-flash"), cost.price "gemini-2.0-flash-001")
    assert.is_nil(cost.price "gpt-4o-audio-preview")
  end)

  it("believes the provider first", function()
    local response = { cost = { usd = 1, source = "provider" }, usage = { input_tokens = 1, output_tokens = 1 },
      model = "gpt-4o" }
    assert.equal("provider", cost.of_response(response).source)
    response.cost = nil
    assert.equal("price_table", cost.of_response(response).source)
    response.model = "alias"
    assert.equal("price_table", cost.of_response(response, "gpt-4o").source)
    assert.is_nil(cost.of_response { model = "gpt-4o" })
  end)

  it("takes a provider's own price of a model first", function()
    local prices = { ["groq/m"] = { input = 1, output = 1 }, m = { input = 2, output = 2 } }
    assert.equal(prices["groq/m"], cost.price("m", "groq", prices))
    assert.equal(prices.m, cost.price("m", "other", prices))
  end)

  it("estimates so many tokens, by the user's own prices first", function()
    local own = { m = { input = 2, output = 4 }, ["gpt-5"] = { input = 0, output = 0 } }
    assert.equal(6, cost.estimate(1000000, 1000000, "m", "p", own))
    assert.equal(0, cost.estimate(1000, 1000, "gpt-5", "openai", own))
    assert.is_nil(cost.estimate(1000, 1000, "unheard-of", "p", own))
    assert.same({ true, true, false }, { cost.is_priced("m", "p", own), cost.is_priced("gpt-5"), cost.is_priced("m") })
  end)

  it("adds what is known", function()
    local a, b = { usd = 1, source = "provider" }, { usd = 2, source = "price_table" }
    assert.same({ usd = 3, source = "mixed" }, cost.add(a, b))
    assert.equal(a, cost.add(a, nil))
    assert.is_nil(cost.add(nil, nil))
  end)

  it("ships prices that are complete", function()
    for name, price in pairs(require "curia.data.prices") do
      assert.is_number(price.input, name)
      assert.is_number(price.output, name)
    end
  end)
end)
