local T = require "spec.engine.support"
local curia = require "curia"
local reading = require "curia.recorder.reading"
local shared = require "curia.store.shared"
local support = require "spec.recorder.support"

local folder

before_each(function() folder = support.open() end)
after_each(function() support.close(folder) end)

-- As if its time in memory were over.
local function forgotten(run)
  run.home.forget(run)
  return run
end

describe("a run that is recorded", function()
  it("is found by its id once it has left memory", function()
    local run = forgotten(support.recorded())
    assert.equal(run.id, curia.find(run.id).id)
    assert.equal("ok", curia.await(run.id).status)
    assert.equal("completed", curia.state(run.id).status)
    assert.equal("ok", curia.result(run.id).status)
    assert.is_true(curia.cancel(run.id))
    local last
    for event in curia.events(run.id) do last = event.type end
    assert.equal("run_completed", last)
  end)

  it("is not another tenant's", function()
    local run = forgotten(support.recorded())
    local found, err = curia.find(run.id, { namespace = "other" })
    assert.is_nil(found)
    assert.equal("unknown_run", err.kind)
  end)

  it("is listed, newest first", function()
    local first = support.recorded({ name = "one" }, nil, { group = "night" })
    local second = support.recorded { name = "two" }
    local function ids(filter)
      local found = {}
      for i, state in ipairs(curia.list(filter)) do found[i] = state.run_id end
      return found
    end
    assert.same({ second.id, first.id }, ids { recorded = true })
    assert.same({ first.id }, ids { recorded = true, group = "night" })
    assert.same({ second.id }, ids { recorded = true, limit = 1 })
    assert.same({}, ids { recorded = true, status = "failed" })
    local rows = assert(reading.rows(shared.configured(), { namespace = "default", council = "two" }))
    assert.same({ 1, "Why?" }, { #rows, rows[1].input.question })
  end)
end)

describe("a run that is not recorded", function()
  it("is not known once it has left memory", function()
    local run = assert(curia.start(T.council {}, "Why?"))
    run:await()
    forgotten(run)
    local found, err = curia.find(run.id)
    assert.is_nil(found)
    assert.equal("unknown_run", err.kind)
  end)
end)
