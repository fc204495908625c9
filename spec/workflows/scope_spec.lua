local curia = require "curia"
local scopes = require "curia.workflows.scope"

after_each(function() curia.config { stack = "", env = "" } end)

describe("the scope of rows", function()
  it("is the configuration's: stacks share the rows of none, an env sees its own only", function()
    assert.same({ conditions = { "source_env IS NULL" }, values = {} }, scopes.of {})
    curia.config { stack = "blue", env = "rc" }
    assert.same({ conditions = { "(source_stack = ? OR source_stack IS NULL)", "source_env = ?" },
      values = { "blue", "rc" } }, scopes.of {})
  end)

  it("is the caller's where it says so", function()
    curia.config { stack = "blue", env = "rc" }
    assert.same({ conditions = { "source_env = ?" }, values = { "x" } },
      scopes.of { source_stack = false, source_env = "x" })
    assert.same({ conditions = { "source_env IS NULL" }, values = {} },
      scopes.of { source_stack = curia.null, source_env = curia.null })
    assert.same({ "source_env IS NULL" }, scopes.of { source_stack = "", source_env = "" }.conditions)
  end)

  it("stamps new rows in the same way", function()
    assert.is_nil(scopes.stamp(nil, "stack"))
    curia.config { stack = "blue" }
    assert.equal("blue", scopes.stamp(nil, "stack"))
    assert.equal("green", scopes.stamp("green", "stack"))
    assert.is_nil(scopes.stamp(curia.null, "stack"))
  end)
end)
