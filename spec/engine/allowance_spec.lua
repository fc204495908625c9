local allowance = require "curia.engine.allowance"

describe("what good answers tell of limits", function()
  it("is that nothing is left, in the words of each vendor", function()
    for _, name in ipairs { "x-ratelimit-remaining-requests", "x-ratelimit-remaining-tokens", "x-ratelimit-remaining",
      "anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-output-tokens-remaining" } do
      assert.is_true(allowance.is_spent { [name] = "0" }, name)
      assert.is_false(allowance.is_spent { [name] = "17" }, name)
      assert.is_false(allowance.is_spent { [name] = "none" }, name)
    end
    assert.is_false(allowance.is_spent {})
  end)
end)
