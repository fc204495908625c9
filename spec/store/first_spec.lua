local curia = require "curia"
local helper = require "spec.helper"
local shared = require "curia.store.shared"
local support = require "spec.recorder.support"
local T = require "spec.engine.support"

local folder, asked

before_each(function()
  folder, asked = support.open(), 0
  T.script(function()
    asked = asked + 1
    return { content = "Yes." }
  end)
  curia.config { linger_ms = 0 } -- what has ended is known by its store alone
end)

after_each(function() support.close(folder) end)

local function ended(council, input, opts)
  local own = { run_id = "once", recorder = true }
  for name, value in pairs(opts or {}) do own[name] = value end
  local run = assert(curia.start(council, input, own))
  local result, err = run:await()
  run.recording:wait(60000)
  return result, err, run
end

local function stored()
  local store = assert(shared.configured())
  return store:query "SELECT (SELECT count(*) FROM {runs}) AS runs, (SELECT count(*) FROM {run_events}) AS events"[1]
end

describe("a recorded run of an id that has been", function()
  it("is that run: nobody is asked again, and nothing is recorded twice", function()
    helper.run(function()
      local council = T.council { ids = { "a", "b" } }
      local first = assert(ended(council, "Why?"))
      local before = stored()
      local second, err, run = ended(council, "Why?")
      assert.is_nil(err)
      assert.same({ 2, "completed", "Yes." }, { asked, run.status, second.rounds[1].results.a.response.content })
      assert.same({ first.run_id, first.duration_ms }, { second.run_id, second.duration_ms })
      assert.same(before, stored())
      assert.is_false(run:state().recorded)
    end)
  end)

  it("has failed as that one has", function()
    helper.run(function()
      T.script { error = { status = 400, message = "no" } }
      local council = T.council { ids = { "a" } }
      local _, first = ended(council, "Why?")
      local _, second = ended(council, "Why?")
      assert.same({ first.kind, first.message }, { second.kind, second.message })
    end)
  end)

  it("is refused with another question, another council, or where it must be new", function()
    helper.run(function()
      local council = T.council { ids = { "a" } }
      assert(ended(council, "Why?"))
      for _, case in ipairs {
        { council, "Why not?" }, { T.council { ids = { "a" }, name = "other" }, "Why?" },
        { council, "Why?", { idempotent = false } },
      } do
        local result, err = ended(table.unpack(case, 1, 3))
        assert.is_nil(result and result.final)
        assert.equal("duplicate_run", err.kind)
      end
      assert.equal(1, asked)
    end)
  end)

  it("is refused while that one goes on in another process", function()
    helper.run(function()
      local council = T.council { ids = { "a" } }
      assert(ended(council, "Why?"))
      assert(assert(shared.configured()):execute "UPDATE {runs} SET status = 'running', finalized_at = NULL")
      local _, err = ended(council, "Why?")
      assert.same({ "duplicate_run", "goes_on", "run once goes on already" }, { err.kind, err.code, err.message })
      assert.equal(1, asked)
    end)
  end)
end)
