local choice = require "curia.recorder.choice"

local function run(fields)
  local values = fields.config or {}
  return {
    opts = { recorder = fields.recorder }, parent = fields.parent, journal = fields.journal,
    config = { get = function(_, key) return values[key] end },
  }
end

describe("the recorder of a run", function()
  it("is the one of its options, of the outer run, of the configuration, of the mode", function()
    local outer = { recording = { setting = "outer" } }
    assert.equal("sqlite", choice.of(run { recorder = "sqlite", parent = outer }))
    assert.equal("outer", choice.of(run { parent = outer, config = { recorder = true } }))
    assert.is_true(choice.of(run { config = { recorder = true, mode = "multi_node" } }))
    assert.equal("postgres", choice.of(run { config = { mode = "multi_node" } }))
  end)

  it("is none unless something asks for one", function()
    assert.is_nil(choice.of(run {}))
    assert.is_nil(choice.of(run { recorder = false, config = { recorder = true } }))
    assert.is_nil(choice.of(run { recorder = true, journal = {} }))
  end)
end)

describe("a setting", function()
  local function fault(setting)
    local ok, faults = choice.check(setting)
    return not ok and faults[1].message or nil
  end
  local function nothing() end
  local whole = { init = nothing, event = nothing, finalize = nothing }

  it("is three functions, or a recorder and its args", function()
    assert.is_nil(fault(whole))
    assert.is_nil(fault { whole, { store = "sqlite:a.db", events = { exclude = { "log" } } } })
    assert.is_nil(fault { true })
  end)

  it("is told what is wrong with it", function()
    assert.matches("'finalize'", fault { init = nothing, event = nothing })
    assert.matches("unknown field 'stor'.*'store'", fault { true, { stor = "x" } })
    assert.matches("store: a string is expected", fault { true, { store = 1 } })
    assert.matches("unknown field 'only'", fault { true, { events = { only = {} } } })
    assert.matches("true, \"sqlite\"", fault { 7 })
  end)
end)
