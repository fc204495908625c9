--- What durability costs: the same runs with and without, in one process, one after the other.
--
--     build/release/bin/curia lua bench/durability.lua [STEPS [RUNS [CONCURRENCY]]]
--
-- `step`: milliseconds that a dependent call takes beyond an undurable one, one run alone. `throughput`: runs a second
-- of a council of seven calls, as a share of the undurable ones, with answers after 0 and after 50 ms. `resume`: how
-- long a run with so many finished steps takes until it has ended. `records`: what the journal alone takes from a
-- hundred runs.
local clock = require "curia.core.clock"
local curia = require "curia"
local inputs = require "curia.durable.inputs"
local nodes = require "curia.recovery.node"
local rows = require "curia.store.runs"
local shared = require "curia.store.shared"
local task = require "curia.task"
local writers = require "curia.durable.writer"

local STEPS, RUNS, AT_ONCE = tonumber(arg[1]) or 2000, tonumber(arg[2]) or 300, tonumber(arg[3]) or 100
local TEXT = ("An answer of ordinary length, which says what there is to say. "):rep(12)

local folder = os.tmpname()
os.remove(folder)
os.execute("mkdir " .. folder)
curia.config { store = "sqlite:" .. folder .. "/bench.db", log = function() end, linger_ms = 0 }

local delay_ms, holding = 0, false
curia.config { providers = { bench = { adapter = "scripted", script = function(request)
  local last = holding and request.messages[1].content == "last"
  return { content = request.member .. ": " .. TEXT, delay_ms = last and 1000000 or delay_ms }
end } } }

local function seat(id)
  return { id = id, provider = "bench", model = "m" }
end

local seven = curia.council "seven" {
  members = { seat "a", seat "b", seat "c" }, rounds = { "independent_analysis", "critique", "synthesis" },
  chair = { provider = "bench", model = "m" },
}

local function chain(steps, by_step)
  return curia.council "chain" { members = { seat "a" }, run = function(ctx)
    for i = 1, steps do
      if by_step then ctx:step("step", function() return TEXT end) else ctx:ask("a", "step " .. i) end
    end
    ctx:ask("a", "last")
    return "done"
  end }
end

local function seconds(fn, ...)
  local began = clock.us()
  fn(...)
  return (clock.us() - began) / 1e6
end

local function run_all(council, count, durability)
  local group, started = task.group(), 0
  local function next_run()
    if started == count then return end
    started = started + 1
    group:spawn(function() assert(curia.run(council, "What first?", { durability = durability })) end)
  end
  for _ = 1, AT_ONCE do next_run() end
  for ended in group:each() do
    assert(ended:result())
    next_run()
  end
end

local function report(name, text, ...)
  print(("%-12s " .. text):format(name, ...))
end

local function measure_step()
  local council, count = chain(200), 201
  local plain = seconds(function() assert(curia.run(council, "x", { durability = "none" })) end)
  local durable = seconds(function() assert(curia.run(council, "x", { durability = "sync" })) end)
  report("step", "%.2f ms a dependent step, undurable %.3f ms", durable / count * 1000, plain / count * 1000)
end

local function measure_throughput()
  for _, ms in ipairs { 0, 50 } do
    delay_ms = ms
    local plain = RUNS / seconds(run_all, seven, RUNS)
    local durable = RUNS / seconds(run_all, seven, RUNS, "sync")
    report("throughput", "answers after %2d ms: %.0f runs a second, undurable %.0f: %.2f of them; %.0f steps a second",
      ms, durable, plain, durable / plain, durable * 7)
  end
  delay_ms = 0
end

local FINISHED = [[SELECT count(*) AS n FROM {steps} WHERE run_id = ? AND kind IN ('call', 'step')
  AND finished IS NOT NULL]]

local function take_up(store, council, run_id)
  assert(store:execute("UPDATE {runs} SET fence = fence + 1 WHERE run_id = ?", run_id))
  local row = assert(rows.get(store, "default", run_id))
  return assert(require "curia.durable.resume".resume(store, row, { councils = { chain = council } }))
end

local function measure_resume(by_step)
  local store, council, run_id = assert(shared.configured()), chain(STEPS, by_step), by_step and "steps" or "asks"
  holding = true
  local run = assert(curia.start(council, "x", { durability = "sync", run_id = run_id }))
  local taken = seconds(function()
    repeat task.sleep(5) until store:query(FINISHED, run_id)[1].n == STEPS
  end)
  run:leave_to_others()
  holding = false
  local again = seconds(function() assert(take_up(store, council, run_id):await()) end)
  report("resume", "%d %s in %.2f s (they took %.1f s)", STEPS, run_id, again, taken)
end

-- ---- the journal alone ------------------------------------------------------------------------------

local function calls_after(number, count)
  local calls = {}
  for i = 1, count do
    local input, hash = inputs.encode { model = "m", messages = { { role = "user", content = TEXT } } }
    calls[i] = {
      path = "call/" .. number + i, kind = "call", input = input, hash = hash, effect = {}, asked_after = number,
    }
  end
  return calls
end

local function outcomes_of(calls, number)
  local entries = {}
  for i, call in ipairs(calls) do
    entries[i] = {
      number = number + i, at_ms = number + i, path = call.path, kind = "call", hash = call.hash,
      outcome = { response = { content = TEXT, finish_reason = "stop" } },
    }
  end
  return entries
end

local function batch_of(key, here, entries, wanted)
  return {
    row = { namespace = key.namespace, run_id = key.run_id, council = "c", status = "running", fence = 1,
      durability = "sync", attempt = 1, attempts = 1, events = 0 },
    entries = entries, wanted = wanted, dropped = {}, told = {}, begun = {}, settled = {},
    changes = { status = "running", owner = here.node_id, incarnation = here.incarnation },
  }
end

-- Units as a run's conductor hands them over: the outcomes of some calls, and the intents of as many more.
local function write_units(key, here, units, size)
  local writer, calls = writers.new(shared.configured(), key, here, 1, false), {}
  for unit = 0, units do
    local number = math.max(0, unit - 1) * size
    local wanted = calls_after(number + #calls, size)
    assert(writer:commit(batch_of(key, here, outcomes_of(calls, number), wanted)))
    calls = wanted
  end
end

local function measure_records(size)
  local here, units, group = assert(nodes.current(shared.configured())), 20000 // size // AT_ONCE, task.group()
  local taken = seconds(function()
    for i = 1, AT_ONCE do
      group:spawn(write_units, { namespace = "default", run_id = ("records-%d-%d"):format(size, i) }, here, units, size)
    end
    for ended in group:each() do assert(ended:result()) end
  end)
  local steps = units * size * AT_ONCE / taken
  report("records", "%2d to a unit: %.0f steps a second, each an intent and an outcome", size, steps)
end

measure_step()
measure_throughput()
for _, batch in ipairs { 1, 3, 10 } do measure_records(batch) end
measure_resume(false)
measure_resume(true)
shared.close()
os.execute("rm -r " .. folder)
