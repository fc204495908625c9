--- `curia runs`: what is stored of runs.
local clock = require "curia.core.clock"
local config = require "curia.config"
local lazy = require "curia.lazy"
local fates = lazy "curia.cli.runs.fate"
local prune = lazy "curia.store.prune"
local records = require "curia.view.records"
local stores = require "curia.cli.runs.store"
local suggest = require "curia.suggest"
local task = require "curia.task"
local usage = require "curia.cli.usage"
local words = require "curia.view.words"

local M = {}

local FAILED = 1

-- That there is nothing to list is an answer.
local function complain(err, action)
  io.stderr:write("curia: ", err.message, "\n")
  return err.code == "nothing_stored" and action == "list" and 0 or FAILED
end

local actions = {}

function actions.list(store, values)
  return require "curia.cli.runs.list".perform(store, values, clock.wall_ms())
end

local function with_run(store, rest, fn)
  local run, err = stores.find(store, rest[2] or "last")
  if not run then return nil, err end
  return fn(run)
end

function actions.show(store, values, rest)
  return with_run(store, rest, function(run) return require "curia.cli.runs.show".perform(run, values) end)
end

function actions.events(store, values, rest)
  return with_run(store, rest, function(run)
    for event in run:watch({ from_seq = values.from }):each() do
      if not (io.write(records.line(event)) and io.flush()) then break end -- nobody reads on
    end
    return stores.warn(run)
  end)
end

local function cancelled_by(store, row)
  local fate = fates.of(store, row)
  if not fate and row.incarnation then return "whoever owns it cancels it" end
  if not fate then return "whoever waits with it cancels it, else curia recover --once does" end
  return fate.note .. ", and curia recover --once ends it"
end

function actions.cancel(store, _, rest)
  return with_run(store, rest, function(run)
    if run.ended then
      print(("run %s has ended: %s"):format(run.id, run.status))
      return true
    end
    local ok, err = run:cancel "cancelled by curia runs cancel"
    if ok then print(("run %s is asked to end; %s"):format(run.id, cancelled_by(store, run.row))) end
    return ok, err
  end)
end

function actions.export(store, values, rest)
  local export = require "curia.cli.runs.export"
  if values.db then return export.database(store, values.db) end
  return export.lines(store, table.move(rest, 2, #rest, 1, {}))
end

function actions.prune(store, values)
  local age = values.older_than or config.shared():get "retention"
  local removed, err = prune.ended(store, clock.wall_ms() - age, config.shared():get "namespace")
  if not removed then return nil, err end
  local parts = { words.counted(removed.runs, "run") }
  if removed.jobs > 0 then parts[#parts + 1] = words.counted(removed.jobs, "job") end
  if removed.workflows > 0 then parts[#parts + 1] = words.counted(removed.workflows, "workflow") end
  print(table.concat(parts, ", ") .. " removed")
  return true
end

-- A run of its own follows, with a view and a store of its own: it begins when this is over.
function actions.rerun(store, values, rest)
  return with_run(store, rest, function(run)
    values.again = run.row
    return true
  end)
end

-- ---- usage ----------------------------------------------------------------------------------------

local OWN = {
  list = { "status", "council", "group", "since", "limit", "inside", "json" }, show = { "json" }, events = { "from" },
  cancel = {}, export = { "db" }, prune = { "older_than" }, rerun = { "json", "quiet" },
}
local TAKES_ID = { show = true, events = true, cancel = true, rerun = true, export = true }
local NEEDS_ID = { cancel = true, rerun = true }
local SHARED = { config = true, help = true }

local function foreign_option(action, values)
  local own = {}
  for _, name in ipairs(OWN[action]) do own[name] = true end
  for name in pairs(values) do
    if not own[name] and not SHARED[name] then return name:gsub("_", "-") end
  end
end

local function misuse(action, values, rest)
  if not OWN[action] then return suggest.message("action", action, OWN) end
  local foreign = foreign_option(action, values)
  if foreign then return ("--%s is not for runs %s"):format(foreign, action) end
  if NEEDS_ID[action] and not rest[2] then return "which run? (\"last\" is the newest)" end
  if rest[2] and not TAKES_ID[action] then return ("runs %s takes no argument, '%s' is one"):format(action, rest[2]) end
  if #rest > 2 and action ~= "export" then return "one run at a time" end
  if action == "prune" and not (values.older_than or config.shared():get "retention") then
    return "how old? --older-than 30d"
  end
end

local function perform(action, values, rest)
  local store, err = stores.open()
  if not store then return nil, err end
  return actions[action](store, values, rest)
end

--- `curia runs ACTION [RUN] [OPTIONS]`
---@param values table options
---@param rest string[] the action, then the run's id
---@return integer exit code
function M.main(values, rest)
  local action = rest[1] or "list"
  local message = misuse(action, values, rest)
  if message then return usage.misused(message, "runs") end
  local ok, done, err = task.run(perform, action, values, rest)
  if not ok then error(done, 0) end
  if not done then return complain(err, action) end
  if values.again then return require "curia.cli.run".again(values.again, values) end
  return 0
end

return M
