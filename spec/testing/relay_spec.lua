local configuration = require "curia.config"
local curia = require "curia"
local helper = require "spec.helper"
local mock_http = require "curia.mock.http"
local providers = require "curia.language.providers"
local relay = require "curia.testing.relay"
local system = require "curia.core.system"

describe("a relay", function()
  it("is where providers lead while it is open, and nowhere else after", function()
    system.setenv("OPENAI_API_KEY", "sk-any-key-of-length")
    local function url() return providers.entry("openai", configuration.shared().registry).base_url end
    local before = url()
    helper.run(function()
      local seen
      local open <close> = relay.open(function(from, request, provider, origin)
        seen = { provider, origin, request.path, request.method }
        from:send(mock_http.head(500, { ["content-length"] = "0" }))
      end)
      assert.matches("^http://127%.0%.0%.1:%d+/v1$", url())
      assert.is_true(#open.doors > 5)
      local council = curia.council "c" {
        retry = { attempts = 1 }, curia.member "a" { model = "openai/m" }, curia.round "independent_analysis" {},
      }
      curia.run(council, "Why?")
      assert.same({ "openai", "https://api.openai.com", "/v1/chat/completions", "POST" }, seen)
    end)
    assert.equal(before, url())
    system.setenv("OPENAI_API_KEY", nil)
  end)
end)
