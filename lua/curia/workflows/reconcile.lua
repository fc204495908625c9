--- Repairs what lost events have left behind in workflows: ends of runs that nobody has noted, steps that were made
--- ready and never begun, tries whose time has passed, work whose process has died.
local clock = require "curia.core.clock"
local engines = require "curia.workflows.engine"
local rows = require "curia.workflows.rows"
local tidings = require "curia.workflows.tidings"
local user_code = require "curia.engine.user_code"

local M = {}

-- Its process has died, or this one has lost it; where it is a council's, no run of it is known.
local function start_again(engine, key, state, row)
  local alive, err = engine.runner.is_alive(engine.store, row.owner)
  if alive == nil then return nil, err end
  local own
  own, err = engine.runner.owner(engine.store)
  if not own then return nil, err end
  if alive and row.owner ~= own then return "skipped" end
  local begun
  begun, err = engine:take_over(key, state, row)
  if begun == nil then return nil, err end
  return begun and "started" or "skipped"
end

-- Recovery goes on with the runs of the dead; who asks for this workflow does not wait for it.
local function take_up(engine, key, state, row)
  local code, err = engines.code(state, row.name)
  if not code then return nil, err end
  local taken
  taken, err = engine.runner.take_up(engine.store, key.namespace, row.run_id, code.council)
  if not taken then return taken == false and "skipped" or nil, err end
  return start_again(engine, key, state, row)
end

local function repair_council(engine, key, state, row, asked)
  local found, outcome = engine.runner.look(engine.store, key.namespace, row.run_id)
  if not found then return nil, outcome end
  if found == "left" and asked then return take_up(engine, key, state, row) end
  if found == "live" or found == "left" then return "skipped" end
  if found == "unknown" then return start_again(engine, key, state, row) end
  local changed, err = engine:replay(key, row, outcome)
  if changed == nil then return nil, err end
  return changed and "replayed" or "skipped"
end

local function is_council(state, name)
  for _, step in ipairs(state.plan.steps) do
    if step.name == name then return step.kind == "council" end
  end
end

local function repair_step(engine, key, state, row, asked)
  if engine.tasks[row.run_id] then return "skipped" end
  if is_council(state, row.name) then return repair_council(engine, key, state, row, asked) end
  return start_again(engine, key, state, row)
end

local function running_steps(state)
  local running = {}
  for _, step in ipairs(state.plan.steps) do
    local row = state.steps[step.name]
    if row.status == "running" then running[#running + 1] = row end
  end
  return running
end

local function count(counts, what, more)
  counts[what] = counts[what] + (more or 1)
end

-- A workflow that this process does not know is another's.
local function skip(engine, key, counts, err)
  count(counts, "skipped")
  if err.code ~= "unknown_workflow" then engine:complain(key, "it could not be put right", err) end
end

-- `asked`: somebody wants this very workflow to go on.
local function repair(engine, key, counts, asked)
  local state, err = rows.load(engine.store, key)
  if not state then return skip(engine, key, counts, err) end
  for _, row in ipairs(running_steps(state)) do
    local what, problem = repair_step(engine, key, state, row, asked)
    if what then count(counts, what) else skip(engine, key, counts, problem) end
  end
  local begun, problem = engine:advance(key)
  if begun then count(counts, "started", begun) else skip(engine, key, counts, problem) end
end

local function nothing()
  return { replayed = 0, started = 0, skipped = 0 }
end

--- Puts one workflow right that somebody wants to go on: runs of the dead are taken up, and what is ready begins.
---@async
---@param engine curia.workflow.Engine
---@param key curia.workflow.Key
---@return {replayed: integer, started: integer, skipped: integer}
function M.one(engine, key)
  local counts = nothing()
  repair(engine, key, counts, true)
  return counts
end

--- Puts right all workflows that go on and are in scope. One that cannot be does not stop the others.
---@async
---@param engine curia.workflow.Engine
---@param scope {conditions: string[], values: any[]}
---@return {replayed: integer, started: integer, skipped: integer}?
---@return curia.Error? err kind `storage`
function M.all(engine, scope)
  local began = clock.us()
  local keys, err = rows.live(engine.store, scope)
  if not keys then return nil, err end
  local counts = nothing()
  for _, key in ipairs(keys) do
    local ok, problem = user_code.try("reconcile", repair, engine, key, counts)
    if not ok then skip(engine, key, counts, problem) end
  end
  local _, problem = rows.cancel_orphans(engine.store)
  if problem then return nil, problem end
  tidings.reconciled(counts, clock.us() - began)
  return counts
end

return M
