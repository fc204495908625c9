local machine = require "curia.workflows.machine"
local words = require "curia.workflows.words"

local workflow = words.workflow

local function nothing() end

local function define(body)
  local made = workflow(function(w) return w end, "w")(body)
  assert(made:validate())
  return made
end

local step = words.step

-- A state as the store would hold it, to which changes are applied as the store would.
local function begun(body)
  local state = { instance = { id = "w1", status = "running", version = 1 }, steps = {}, plan = define(body).plan }
  for _, planned in ipairs(state.plan.steps) do
    state.steps[planned.name] = { name = planned.name, status = "pending", attempt = 0, version = 1 }
  end
  return state
end

local null = require("curia.json").null

local function put(row, changes)
  for column, value in pairs(changes) do
    if value == null then row[column] = nil else row[column] = value end
  end
end

local function apply(state, event, now)
  local changes = machine.decide(state, event, now or 1000)
  if not changes then return nil end
  put(state.instance, changes.instance)
  for name, columns in pairs(changes.steps) do put(state.steps[name], columns) end
  return changes
end

local function start(state, now)
  local prepared = {}
  for _, name in ipairs(machine.ready(state, now or 1000)) do prepared[name] = { input = {} } end
  return next(prepared) and apply(state, { type = "start", prepared = prepared, owner = "me" }, now)
end

local function finish(state, name, attempt, now)
  return apply(state, { type = "finished", step = name, attempt = attempt or 1, result = { of = name } }, now)
end

local function fail(state, name, kind, attempt, now)
  return apply(state, { type = "failed", step = name, attempt = attempt or 1,
    error = { kind = kind or "transient", message = "no" } }, now)
end

local function statuses(state)
  local text = { state.instance.status }
  for _, planned in ipairs(state.plan.steps) do text[#text + 1] = planned.name .. "=" .. state.steps[planned.name].status end
  return table.concat(text, " ")
end

local function types(changes)
  local names = {}
  for i, event in ipairs(changes.events) do names[i] = event.type .. (event.step and ":" .. event.step or "") end
  return table.concat(names, " ")
end

local function run(name, more)
  local body = { run = nothing }
  for key, value in pairs(more or {}) do body[key] = value end
  return step(name)(body)
end

local function diamond(more)
  return begun { run "a", run("b", { after = "a" }), run("c", { after = "a", on_failure = more and more.c }),
    run("d", { after = { "b", "c" } }) }
end

describe("steps", function()
  it("begin when all that they wait for is done, those that can together", function()
    local state = diamond()
    assert.equal("step_started:a", types(start(state)))
    assert.same({}, machine.ready(state, 1000))
    finish(state, "a")
    assert.same({ "b", "c" }, machine.ready(state, 1000))
    start(state)
    assert.equal("running a=done b=running c=running d=pending", statuses(state))
    finish(state, "b")
    assert.same({}, machine.ready(state, 1000))
    finish(state, "c")
    start(state)
    assert.equal("step_done:d workflow_completed", types(finish(state, "d", 1, 2000)))
    assert.equal("done a=done b=done c=done d=done", statuses(state))
    assert.equal(2000, state.instance.finished_at)
  end)

  it("have the id of their run before it is started: the same whoever starts it", function()
    local state = diamond()
    start(state)
    assert.same({ "w1.a.1", "me", 1, 1000 },
      { state.steps.a.run_id, state.steps.a.owner, state.steps.a.attempt, state.steps.a.started_at })
  end)

  it("take an equal step's result without beginning", function()
    local state = diamond()
    local changes = apply(state, { type = "start", owner = "me",
      prepared = { a = { input = {}, result = { x = 1 }, reused_from = "w0/a" } } })
    assert.equal("step_done:a", types(changes))
    assert.same({ "done", "w0/a", 1 }, { state.steps.a.status, state.steps.a.reused_from, state.steps.a.result.x })
  end)

  it("are taken over from their owner, once", function()
    local state = diamond()
    start(state)
    assert.is_nil(apply(state, { type = "claim", step = "a", attempt = 1, from = "other", owner = "new" }))
    assert.is_table(apply(state, { type = "claim", step = "a", attempt = 1, from = "me", owner = "new" }))
    assert.is_nil(apply(state, { type = "claim", step = "a", attempt = 1, from = "me", owner = "third" }))
    assert.equal("new", state.steps.a.owner)
  end)
end)

describe("what comes late or twice", function()
  it("changes nothing: an end, a start, an end of an older attempt", function()
    local state = begun { run("a", { on_failure = "retry", backoff_ms = 0 }), run("b", { after = "a" }) }
    assert.is_nil(finish(state, "a"))
    start(state)
    local again = { type = "start", owner = "other", prepared = { a = { input = {} } } }
    assert.is_nil(apply(state, again))
    fail(state, "a")
    assert.is_nil(fail(state, "a"))
    start(state)
    assert.equal(2, state.steps.a.attempt)
    assert.is_nil(finish(state, "a", 1))
    assert.is_nil(fail(state, "a", "transient", 1))
    finish(state, "a", 2)
    assert.is_nil(finish(state, "a", 2))
    assert.is_nil(finish(state, "no such step"))
  end)

  it("changes nothing where it is of a run that is not the step's any more", function()
    local state = begun { run "a" }
    start(state)
    local event = { type = "finished", step = "a", attempt = 1, run_id = "another", result = {} }
    assert.is_nil(apply(state, event))
    event.run_id = state.steps.a.run_id
    assert.is_truthy(apply(state, event))
  end)

  it("changes nothing of a workflow that has ended", function()
    local state = diamond()
    start(state)
    apply(state, { type = "cancel", reason = "enough" })
    for _, event in ipairs { { type = "finished", step = "a", attempt = 1 }, { type = "cancel" }, { type = "resume" },
      { type = "start", prepared = { a = {} } } } do
      assert.is_nil(apply(state, event))
    end
    assert.same({}, machine.ready(state, 1000))
  end)
end)

describe("a failure", function()
  it("aborts: what runs is stopped, what waits is cancelled, and the step is named", function()
    local state = diamond { c = "abort" }
    start(state)
    finish(state, "a")
    start(state)
    local changes = fail(state, "c", "quota_exhausted")
    assert.same({ "b" }, changes.stop)
    assert.equal("step_failed:c workflow_failed", types(changes))
    assert.equal("failed a=done b=cancelled c=failed d=cancelled", statuses(state))
    assert.same({ "c", "quota_exhausted" }, { state.instance.error.step, state.instance.error.kind })
  end)

  it("is tried again at a stored time, as often as it may be", function()
    local state = begun { run("a", { on_failure = "retry", max_attempts = 2, backoff_ms = 5000 }) }
    start(state)
    local changes = fail(state, "a")
    assert.equal("running a=retrying", statuses(state))
    assert.same({ 6000, "retrying", 6000 }, { state.steps.a.retry_at, changes.events[1].status, changes.events[1].retry_at })
    assert.same({}, machine.ready(state, 5999))
    assert.same({ "a" }, machine.ready(state, 6000))
    start(state, 6000)
    assert.same({ 2, "running", "w1.a.2" }, { state.steps.a.attempt, state.steps.a.status, state.steps.a.run_id })
    assert.is_nil(state.steps.a.retry_at)
    fail(state, "a", "transient", 2, 6001)
    assert.equal("failed a=failed", statuses(state))
  end)

  it("of a kind that is never tried again is final at once; another kind is not", function()
    local function after(kind)
      local state = begun { run("a", { on_failure = "retry", never_retry = { "auth" } }) }
      start(state)
      fail(state, "a", kind)
      return statuses(state)
    end
    assert.equal("failed a=failed", after "auth")
    assert.equal("running a=retrying", after "transient")
  end)

  it("pauses: nothing begins until it is resumed, however often", function()
    local state = diamond { c = "pause" }
    start(state)
    finish(state, "a")
    start(state)
    fail(state, "c")
    assert.equal("blocked a=done b=running c=paused d=pending", statuses(state))
    finish(state, "b")
    assert.same({}, machine.ready(state, 1e9))
    apply(state, { type = "resume" })
    assert.equal("running a=done b=done c=retrying d=pending", statuses(state))
    start(state)
    fail(state, "c", "transient", 2)
    apply(state, { type = "resume" })
    start(state)
    finish(state, "c", 3)
    start(state)
    finish(state, "d")
    assert.equal("done a=done b=done c=done d=done", statuses(state))
  end)

  it("before it begins counts as a try", function()
    local state = diamond()
    local changes = apply(state, { type = "start", owner = "me",
      prepared = { a = { error = { kind = "script", message = "input" } } } })
    assert.equal("step_started:a step_failed:a workflow_failed", types(changes))
    assert.same({}, changes.stop)
    assert.equal("failed a=failed b=cancelled c=cancelled d=cancelled", statuses(state))
  end)
end)

describe("an approval", function()
  local function waiting()
    local state = begun { step "a" { approval = true }, run "b", run("c", { after = { "a", "b" } }) }
    start(state)
    return state
  end

  it("blocks the workflow when there is nothing else to do", function()
    local state = waiting()
    assert.equal("running a=blocked b=running c=pending", statuses(state))
    finish(state, "b")
    assert.equal("blocked a=blocked b=done c=pending", statuses(state))
    apply(state, { type = "decided", step = "a", approved = true, note = "fine" })
    assert.equal("running a=done b=done c=pending", statuses(state))
    assert.same({ approved = true, note = "fine" }, state.steps.a.result)
  end)

  it("that is refused is a failure; one that does not wait is not decided", function()
    local state = waiting()
    assert.is_nil(apply(state, { type = "decided", step = "b", approved = true }))
    apply(state, { type = "decided", step = "a", approved = false, note = "too soon" })
    assert.equal("failed a=failed b=cancelled c=cancelled", statuses(state))
    assert.same({ "refused", "too soon", "a" },
      { state.instance.error.code, state.instance.error.reason, state.instance.error.step })
    assert.is_nil(apply(state, { type = "decided", step = "a", approved = true }))
  end)
end)

describe("cancelling", function()
  it("ends all that has not ended, and tells which ran", function()
    local state = diamond()
    start(state)
    finish(state, "a")
    start(state)
    local changes = apply(state, { type = "cancel", reason = "enough" })
    assert.same({ "b", "c" }, changes.stop)
    assert.equal("workflow_failed", types(changes))
    assert.equal("cancelled a=done b=cancelled c=cancelled d=cancelled", statuses(state))
    assert.same({ "cancelled", "enough" }, { state.instance.error.kind, state.instance.error.reason })
  end)
end)

-- ---- properties -------------------------------------------------------------------------------------

local function dice(seed)
  return function(n)
    seed = (seed * 1103515245 + 12345) & 0x7fffffff
    return (seed >> 8) % n + 1
  end
end

local POLICIES = { "abort", "retry", "pause" }

local function random_steps(roll)
  local steps = {}
  for i = 1, roll(6) do
    local after = {}
    for j = 1, i - 1 do
      if roll(3) == 1 then after[#after + 1] = "s" .. j end
    end
    local body = { after = after }
    if roll(5) == 1 then body.approval = true else body.run = nothing end
    if body.run then body.on_failure = POLICIES[roll(3)] end
    if body.on_failure == "retry" then body.max_attempts, body.backoff_ms = roll(3), roll(50) - 1 end
    steps[i] = step("s" .. i)(body)
  end
  return steps
end

local EVENTS = {
  function(state, roll) return { type = "finished", attempt = roll(4), result = {}, step = "s" .. roll(#state.plan.steps) } end,
  function(state, roll)
    return { type = "failed", attempt = roll(4), step = "s" .. roll(#state.plan.steps),
      error = { kind = "transient", message = "no" } }
  end,
  function(state, roll) return { type = "decided", approved = roll(4) > 1, step = "s" .. roll(#state.plan.steps) } end,
  function() return { type = "resume" } end,
}

local function copy(value)
  if type(value) ~= "table" then return value end
  local made = {}
  for key, item in pairs(value) do made[key] = copy(item) end
  return setmetatable(made, getmetatable(value))
end

local ENDED = { done = true, failed = true, cancelled = true }

local function check_step(before, after, planned, state)
  if ENDED[before.status] then assert.same(before, after) end
  if after.status == "running" and before.status ~= "running" then
    assert.equal(before.attempt + 1, after.attempt)
    for _, name in ipairs(planned.after) do assert.equal("done", state.steps[name].status) end
  end
  if planned.on_failure == "retry" then assert.is_true(after.attempt <= planned.max_attempts) end
end

local function check_whole(state)
  local count, open = 0, 0
  for _, row in pairs(state.steps) do
    count = count + (row.status == "done" and 1 or 0)
    open = open + (ENDED[row.status] and 0 or 1)
  end
  local status = state.instance.status
  assert.equal(status == "done", count == #state.plan.steps)
  assert.equal(ENDED[status] == true, open == 0)
end

describe("any workflow, whatever happens to it", function()
  local SEEDS = os.getenv "CURIA_GC_STRESS" and 20 or 100

  it("begins steps in order, changes nothing that has ended, and ends as soon as all steps have", function()
    for seed = 1, SEEDS do
      local roll = dice(seed)
      local state, now = begun(random_steps(roll)), 1000
      for _ = 1, 60 do
        now = now + roll(40)
        local before = copy(state)
        local event = EVENTS[roll(#EVENTS)](state, roll)
        if roll(2) == 1 then start(state, now) else
          local first = apply(state, event, now)
          local settled = copy(state)
          if event.type ~= "decided" and first then assert.is_nil(apply(copy(state), event, now)) end
          assert.same(settled, state)
        end
        for _, planned in ipairs(state.plan.steps) do
          check_step(before.steps[planned.name], state.steps[planned.name], planned, before)
        end
        check_whole(state)
      end
    end
  end)

  it("comes to an end when every step gets what it waits for", function()
    for seed = 1, SEEDS do
      local roll = dice(seed)
      local state, now, rounds = begun(random_steps(roll)), 1000, 0
      while not ENDED[state.instance.status] do
        now, rounds = now + 100, rounds + 1
        assert.is_true(rounds < 200, "seed " .. seed)
        start(state, now)
        apply(state, { type = "resume" }, now)
        for name, row in pairs(state.steps) do
          if row.status == "running" then
            if roll(3) == 1 then fail(state, name, "transient", row.attempt, now)
            else finish(state, name, row.attempt, now) end
          end
          apply(state, { type = "decided", step = name, approved = true }, now)
        end
      end
    end
  end)
end)
