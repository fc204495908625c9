local totals = require "curia.view.totals"

local function after(...)
  local sum = totals.new()
  for _, response in ipairs { ... } do totals.add_response(sum, response) end
  return sum
end

describe("curia.view.totals", function()
  it("adds up what is known", function()
    totals.add_response(totals.new(), nil)
    assert.same({ tokens = 0 }, after {})
    assert.same({ tokens = 12, usd = 0.25 }, after(
      { usage = { input_tokens = 10 }, cost = { usd = 0.25 } }, { usage = { output_tokens = 2 } }))
    local sum = after { usage = { input_tokens = 10 } }
    totals.add(sum, after { usage = { output_tokens = 1 }, cost = { usd = 1 } })
    assert.same({ tokens = 11, usd = 1 }, sum)
  end)

  it("tells money before tokens, and of how much", function()
    local used = { tokens = 1045, usd = 0.0012 }
    assert.same({}, totals.texts(totals.new()))
    assert.same({ "$0.0012", "1,045 tokens" }, totals.texts(used))
    assert.same({ "$0.0012 of $0.5000", "1,045 of 2,000 tokens" }, totals.texts(used, { usd = 0.5, tokens = 2000 }))
    assert.same({ "$0.00 of $2.00" }, totals.texts(totals.new(), { usd = 2 }))
  end)
end)
