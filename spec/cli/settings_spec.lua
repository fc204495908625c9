local config = require "curia.config"
local settings = require "curia.cli.settings"

describe("--config", function()
  it("takes JSON where it can, else a text, and knows what it sets", function()
    local before = config.shared():get "linger_ms"
    assert.is_true(settings.set { { "linger_ms", "1234" }, { "default_profile", "deep" } })
    assert.same({ 1234, "deep" }, { config.shared():get "linger_ms", config.shared():get "default_profile" })
    assert.equal("command line", config.shared():source "linger_ms")
    assert.is_true(settings.set { { "linger_ms", tostring(before) }, { "default_profile", "fast" } })
    local ok, err = settings.set { { "lingr_ms", "1" } }
    assert.is_nil(ok)
    assert.matches("did you mean 'linger_ms'", err.message)
    assert.is_true(settings.set(nil))
  end)
end)
