local config = require "curia.config"
local program = require "spec.cli.program"
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

describe("the environment", function()
  it("is told once of a variable that is almost one of Curia's", function()
    local env = { CURIA_STOER = "sqlite:/a.db", CURIA_TEAM_KEY = "k-12345678", XDG_DATA_HOME = "/nowhere" }
    local _, _, err = program.run({ "runs", "list" }, { env = env })
    assert.matches("^curia: CURIA_STOER is none of Curia's; did you mean CURIA_STORE%?\ncuria: nothing is stored yet", err)
  end)
end)
