local curia = require "curia"
local doctor = require "curia.doctor.store"
local shared = require "curia.store.shared"
local support = require "spec.recorder.support"

local folder

before_each(function() folder = support.open() end)
after_each(function() support.close(folder) end)

local function by_name()
  local facts = {}
  for _, fact in ipairs(doctor.facts()) do facts[fact.name] = fact end
  return facts
end

describe("the doctor on the store", function()
  it("makes none by looking", function()
    assert.matches("nothing is stored yet", by_name().store.value)
    assert.is_nil(io.open(folder.path "runs.db"))
  end)

  it("says where it is and that it is whole", function()
    support.recorded()
    local facts = by_name()
    assert.matches("runs.db %(%d", facts.store.value)
    assert.same({ true, true }, { facts.tables.good, facts.integrity.good })
  end)

  it("finds records with a gap", function()
    local run = support.recorded()
    assert.same({ "no event is missing", true }, { by_name().records.value, by_name().records.good })
    assert(shared.configured():execute "DELETE FROM {run_events} WHERE seq = 3")
    assert.same({ "1 run with events missing: " .. run.id, false }, { by_name().records.value, by_name().records.good })
    for _ = 1, 6 do support.recorded() end
    assert(shared.configured():execute "DELETE FROM {run_events} WHERE seq = 3")
    assert.matches("^7 runs with events missing: [^,]+, [^,]+, [^,]+, [^,]+, [^,]+, %.%.%.$", by_name().records.value)
  end)

  it("says where registrations are kept", function()
    assert.equal("in this process's memory", by_name().registry.value)
    curia.config { registry = "sqlite" }
    local value = by_name().registry.value
    curia.config { registry = "memory" }
    assert.equal("sqlite, in the configured store", value)
  end)

  it("finds what is no database, and damage", function()
    support.recorded()
    shared.close()
    local file = assert(io.open(folder.path "runs.db", "r+b"))
    file:seek("set", 8192)
    file:write(("damage"):rep(3000))
    file:close()
    local damaged = by_name()
    assert.is_false((damaged.integrity or damaged.store).good)
    file = assert(io.open(folder.path "runs.db", "wb"))
    file:write(("no database "):rep(200))
    file:close()
    assert.is_false(by_name().store.good)
  end)
end)
