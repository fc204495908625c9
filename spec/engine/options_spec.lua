local options = require "curia.engine.options"

local RULES = { deadline = { type = "duration", alias = "deadline_ms" }, deadline_ms = { type = "duration" },
  tokens = { type = "boolean" } }

describe("options", function()
  it("are read with durations in milliseconds", function()
    assert.same({ deadline_ms = 2000, tokens = true }, options.read("f", { deadline = "2s", tokens = true }, RULES))
    assert.same({}, options.read("f", nil, RULES))
  end)

  it("that are unknown or wrong raise at the caller, with the function's name", function()
    local function f(opts) options.read("f", opts, RULES) end
    local function message(opts)
      local ok, err = pcall(function() f(opts) end)
      assert.is_false(ok)
      return err
    end
    assert.matches("options_spec.lua:%d+: f: unknown field 'token'; did you mean 'tokens'", message { token = true })
    assert.matches("f: tokens must be true or false", message { tokens = 1 })
    assert.matches("f: options are a table, not a string", message "x")
  end)
end)
