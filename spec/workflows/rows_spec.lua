local definition = require "curia.workflows.definition"
local machine = require "curia.workflows.machine"
local rows = require "curia.workflows.rows"
local support = require "spec.workflows.support"

local KEY = { namespace = "default", id = "1" }
local place, store

before_each(function()
  place = support.place()
  store = place.store
end)

after_each(function()
  place.close()
end)

local made = definition.new("w", { { name = "a", council = "x" }, { name = "b", council = "x", after = "a" } })

local function insert(more)
  local instance = { namespace = "default", id = "1", name = "w", status = "running", definition_hash = made.hash,
    plan = made.plan, trigger_value = { n = 1 }, version = 1, started_at = 1, updated_at = 1 }
  for name, value in pairs(more or {}) do instance[name] = value end
  return store:write(rows.insertion(store, instance, made.plan))
end

local function start(state)
  return machine.decide(state, { type = "start", prepared = { a = { input = { q = "x" } } }, owner = "me" }, 5)
end

describe("the rows of a workflow", function()
  it("are read as they were written, users' values when they are asked for", function()
    assert(insert { trigger_value = { text = ("long "):rep(500) } })
    local state = assert(rows.load(store, KEY))
    assert.same({ "w", "running", 1, "pending", 2 },
      { state.instance.name, state.instance.status, state.instance.version, state.steps.b.status, state.steps.b.position })
    assert.same(made.plan, state.plan)
    assert.equal(2500, #rows.value(store, state.instance.trigger_value).text)
    assert.is_nil(rows.value(store, state.steps.a.result))
  end)

  it("are changed by the first who decides; the second changes nothing", function()
    insert()
    local one, two = rows.load(store, KEY), rows.load(store, KEY)
    assert(store:write(rows.update(store, one, start(one))))
    local written, err = store:write(rows.update(store, two, start(two)))
    assert.is_nil(written)
    assert.is_true(rows.is_lost(err))
    local state = rows.load(store, KEY)
    assert.same({ 2, 2, 1, 1 },
      { state.instance.version, state.steps.a.version, state.steps.b.version, state.steps.a.attempt })
  end)

  -- Else two ends at once would each see the other step at work, and nobody would begin what comes after both.
  it("are changed by one at a time, also where the steps are different ones", function()
    insert()
    local one, two = rows.load(store, KEY), rows.load(store, KEY)
    assert(store:write(rows.update(store, one, start(one))))
    local other = { instance = {}, steps = { b = { status = "cancelled" } }, stop = {}, events = {} }
    assert.is_true(rows.is_lost(select(2, store:write(rows.update(store, two, other)))))
    assert.equal("pending", rows.load(store, KEY).steps.b.status)
  end)

  it("are not changed when a step has been meanwhile", function()
    insert()
    local state = rows.load(store, KEY)
    assert(store:execute "UPDATE {workflow_steps} SET version = 7 WHERE name = 'a'")
    assert.is_true(rows.is_lost(select(2, store:write(rows.update(store, state, start(state))))))
    assert.equal(1, rows.load(store, KEY).instance.version)
  end)

  it("are written once for an id, and for a subject in flight", function()
    assert(insert { subject = "s" })
    assert.is_true(rows.is_lost(select(2, insert { subject = "t" })))
    assert.is_true(rows.is_lost(select(2, insert { id = "2", subject = "s" })))
    assert(store:execute "UPDATE {workflows} SET status = 'done'")
    assert(insert { id = "2", subject = "s" })
    assert.equal(4, #store:query "SELECT * FROM {workflow_steps}")
  end)

  it("are told not to be there", function()
    local state, err = rows.load(store, KEY)
    assert.is_nil(state)
    assert.same({ "unknown_run", "unknown_workflow" }, { err.kind, err.code })
  end)

  it("give the newest result of an equal step that is fresh", function()
    local function put(id, hash, finished_at, from)
      assert(store:execute([[INSERT INTO {workflow_steps} (namespace, workflow_id, name, position, status, attempt,
        input_hash, finished_at, reused_from, version) VALUES ('default', ?, 'a', 1, 'done', 1, ?, ?, ?, 1)]],
        id, hash, finished_at, from))
    end
    put("1", "h", 10)
    put("2", "h", 20)
    put("3", "h", 30, "1/a")
    put("4", "other", 40)
    assert.equal("2", rows.reusable(store, "default", "h", 10).workflow_id)
    assert.is_nil(rows.reusable(store, "default", "h", 21))
    assert.is_nil(rows.reusable(store, "other", "h", 1))
  end)
end)
