local definition = require "curia.workflows.definition"
local json = require "curia.json"
local rows = require "curia.workflows.rows"
local support = require "spec.workflows.support"
local views = require "curia.workflows.view"

local place, store

before_each(function()
  place = support.place()
  store = place.store
end)

after_each(function()
  place.close()
end)

local function nothing() end

describe("the view of a workflow", function()
  it("has its steps in their order, users' values unpacked, and the results of the last ones when it is done", function()
    local made = definition.new("w", { { name = "b", run = nothing, after = "a" }, { name = "a", run = nothing },
      { name = "c", run = nothing } })
    local instance = { namespace = "default", id = "1", name = "w", status = "running", definition_hash = made.hash,
      plan = made.plan, trigger_value = { n = 1 }, version = 1, started_at = 1, updated_at = 1 }
    local unit = rows.insertion(store, instance, made.plan)
    for name, result in pairs { a = 1, b = false, c = { text = "x" } } do
      unit[#unit + 1] = { "UPDATE {workflow_steps} SET status = 'done', result = ? WHERE name = ?",
        store:pack(unit, result), name }
    end
    assert(store:write(unit))
    local view = assert(views.of(store, rows.load(store, instance)))
    assert.same({ "b", "a", "c" }, { view.steps[1].name, view.steps[2].name, view.steps[3].name })
    assert.same({ { n = 1 }, "function", { "a" }, 1 },
      { view.trigger, view.steps[1].kind, view.steps[1].after, view.steps[2].result })
    assert.is_nil(view.result)
    assert(store:execute "UPDATE {workflows} SET status = 'done'")
    view = assert(views.of(store, rows.load(store, instance)))
    assert.same({ b = false, c = { text = "x" } }, view.result)
    assert.is_string(json.encode(view))
  end)
end)
