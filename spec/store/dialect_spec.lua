local dialect = require "curia.store.dialect"

describe("a translator", function()
  local translate = dialect.translator("sqlite", "x_")

  it("puts in the tables' names and the engine's words", function()
    assert.equal("SELECT * FROM x_runs", translate "SELECT * FROM {runs}")
    assert.equal("CREATE TABLE x_steps (a BLOB)", translate "CREATE TABLE {steps} (a {bytes})")
    assert.is_true(rawequal(translate "SELECT {now}", translate "SELECT {now}"))
  end)

  it("raises for a table that there is not", function()
    assert.error_matches(function() translate "SELECT * FROM {run}" end, "unknown table 'run'.*runs")
  end)
end)
