--- `curia replay`: shows a stored run as it went, from its events alone. Nobody is asked anything.
local records = require "curia.view.records"
local run_command = require "curia.cli.run"
local stores = require "curia.cli.runs.store"
local task = require "curia.task"
local usage = require "curia.cli.usage"
local views = require "curia.view"

local M = {}

local LONGEST_WAIT_MS = 10000

local function about(row)
  local question = type(row.input) == "table" and row.input.question
  return {
    council = row.council, question = type(question) == "string" and question or nil, planned = {},
    offline = (row.options or {}).offline,
  }
end

-- As long as it took then, by `speed`; nobody waits for hours that were spent waiting.
local function wait(last, event, speed)
  if not last or speed == 0 then return end
  task.sleep(math.min(LONGEST_WAIT_MS, math.max(0, event.at - last.at) / speed))
end

local function show(run, view, values)
  local last
  for event in run:watch {}:each() do
    wait(last, event, values.speed or 1)
    if values.events then io.write(records.line(event)) else view:event(event) end
    last = event
  end
end

local function perform(run_id, values)
  local store, err = stores.open()
  if not store then return nil, err end
  local run
  run, err = stores.find(store, run_id)
  if not run then return nil, err end
  local view <close> = values.events and views.silent() or views.open(about(run.row))
  show(run, view, values)
  view:close()
  local result = run:result()
  if result and not values.events then run_command.print_answer(result) end
  return true
end

--- `curia replay RUN [--speed N] [--events]`
---@param values table options
---@param rest string[] the run's id
---@return integer exit code
function M.main(values, rest)
  if rest[2] then return usage.misused("one run at a time", "replay") end
  local ok, done, err = task.run(perform, rest[1] or "last", values)
  if ok and done then return 0 end
  io.stderr:write("curia: ", (err or done).message, "\n")
  return 1
end

return M
