local curia = require "curia"
local helper = require "spec.helper"
local replay = require "curia.testing.replay".replay
local system = require "curia.core.system"
local traffic = require "curia.testing.traffic"

-- More of it, with what was recorded before: spec/testing/record_spec.lua.
describe("a replay", function()
  it("says where nothing was recorded of a path", function()
    local path = os.tmpname()
    assert(traffic.write(path, {}))
    system.setenv("OPENAI_API_KEY", "sk-any-key-of-length")
    local ok, err = helper.run(function()
      return pcall(replay, path, function()
        curia.run(curia.council "c" { retry = { attempts = 1 }, curia.member "a" { model = "openai/m" },
          curia.round "independent_analysis" {} }, "Why?")
      end)
    end)
    system.setenv("OPENAI_API_KEY", nil)
    os.remove(path)
    assert.is_false(ok)
    assert.matches("nothing was recorded of that path", tostring(err))
  end)
end)
