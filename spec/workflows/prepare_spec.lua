local definition = require "curia.workflows.definition"
local helper = require "spec.helper"
local prepare = require "curia.workflows.prepare"
local rows = require "curia.workflows.rows"
local support = require "spec.workflows.support"

local place, store

before_each(function()
  place = support.place()
  store = place.store
end)

after_each(function()
  place.close()
end)

-- What is ready for the second of two steps, of which the first has given { content = "x" }.
local function prepared(fields)
  fields.name, fields.council, fields.after = "b", "x", "a"
  local made = definition.new("w", { { name = "a", council = "x" }, fields })
  assert(made:validate())
  local instance = { namespace = "default", id = "1", name = "w", status = "running", definition_hash = made.hash,
    plan = made.plan, trigger_value = { n = 1 }, version = 1, started_at = 1, updated_at = 1 }
  local unit = rows.insertion(store, instance, made.plan)
  unit[#unit + 1] = { "UPDATE {workflow_steps} SET status = 'done', result = ? WHERE name = 'a'",
    store:pack(unit, { content = "x" }) }
  assert(store:write(unit))
  local state = assert(rows.load(store, instance))
  return prepare.step(store, state, made.by_name.b, 1000), state, made
end

describe("the input of a step", function()
  it("is the trigger, or what data and functions make of trigger and prior results", function()
    helper.run(function() assert.same({ n = 1 }, prepared({}).input) end)
  end)

  it("may be data with paths", function()
    helper.run(function()
      assert.same({ n = 1, text = "x" }, prepared { input = { n = "trigger.n", text = "prior.a.content" } }.input)
    end)
  end)

  it("may be a function's; its faults are the step's", function()
    helper.run(function()
      local made = prepared { input = function(trigger, prior) return { trigger.n, prior.a.content } end }
      assert.same({ 1, "x" }, made.input)
    end)
    helper.run(function()
      store:execute "DELETE FROM {workflows}"
      store:execute "DELETE FROM {workflow_steps}"
      local made = prepared { input = function(trigger) return trigger.no.such end }
      assert.equal("script", made.error.kind)
      assert.matches("input of step 'b'", made.error.message)
    end)
  end)

  it("must have a data form; one that is nothing is empty", function()
    helper.run(function() assert.matches("has no data form", prepared { input = function() return print end }.error.message) end)
    helper.run(function()
      store:execute "DELETE FROM {workflows}"
      store:execute "DELETE FROM {workflow_steps}"
      assert.same({}, prepared { input = function() end }.input)
    end)
  end)

  it("is that of the first try, for the next one", function()
    helper.run(function()
      local _, state, made = prepared { input = "trigger.n" }
      local unit = {}
      state.steps.b.input = store:pack(unit, { from = "the first" }).bytes
      assert.same({ from = "the first" }, prepare.step(store, state, made.by_name.b, 1000).input)
    end)
  end)

  it("has a hash only where results may be taken again", function()
    helper.run(function()
      local made, state, workflow = prepared { reuse = "1h" }
      assert.equal(64, #made.input_hash)
      state.instance.subject = "s"
      assert.not_equal(made.input_hash, prepare.step(store, state, workflow.by_name.b, 1000).input_hash)
      workflow.by_name.b.reuse_ms = nil
      assert.is_nil(prepare.step(store, state, workflow.by_name.b, 1000).input_hash)
    end)
  end)
end)
