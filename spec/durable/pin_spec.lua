local pins = require "curia.durable.pin"
local redact = require "curia.redact"
local registries = require "curia.registry"
local S = require "spec.durable.support"
local shared = require "curia.store.shared"
local T = require "spec.engine.support"

local place, store
local SECRET = "sk-pin-0123456789abcdef"

before_each(function()
  place = S.place()
  store = assert(shared.configured())
end)

after_each(function()
  redact.reset()
  place.close()
end)

local function council(about)
  return T.council { name = "pinned", ids = { "a" }, about = about }
end

local function stored(made)
  local unit = {}
  store:put_content(unit, pins.of(made).text)
  assert(store:write(unit))
  return { run_id = "r", council = "pinned", spec_hash = pins.of(made).spec_hash }
end

local function find(row, councils)
  return pins.find(store, row, { registry = registries.new(), councils = councils })
end

describe("the council of a stored run", function()
  it("is the one that it began with, whatever the name stands for by now", function()
    local row = stored(council "then")
    assert.equal("then", find(row):spec().about)
    assert.equal("now", find(row, { pinned = council "now" }):spec().about)
  end)

  it("is made once for all runs of a council", function()
    local made = council "once"
    assert.equal(pins.of(made), pins.of(made))
    assert.are_not.equal(pins.of(made), pins.of(council "once"))
  end)

  it("with a key in its text is not taken from the store, which has it without", function()
    redact.add(SECRET)
    local made = council("asks with " .. SECRET)
    local row = stored(made)
    assert.is_nil(store:content(row.spec_hash):find(SECRET, 1, true))
    local found, err = find(row)
    assert.is_nil(found)
    assert.equal("unknown_council", err.code)
    assert.equal(made, find(row, { pinned = made }))
  end)

  it("that nobody knows is an error that names it", function()
    local found, err = find { run_id = "r", council = "nowhere", spec_hash = ("0"):rep(64) }
    assert.is_nil(found)
    assert.same({ "invalid_council", "council nowhere of run r is not known here" }, { err.kind, err.message })
  end)
end)
