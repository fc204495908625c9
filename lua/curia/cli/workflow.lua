--- `curia workflow ...`: workflows from the command line.
local clock = require "curia.core.clock"
local durable = require "curia.durable"
local errors = require "curia.errors"
local input = require "curia.cli.input"
local json = require "curia.json"
local library = require "curia.cli.library"
local loader = require "curia.language.loader"
local node = require "curia.recovery.node"
local paper = require "curia.cli.paper"
local recovery = require "curia.recovery"
local registries = require "curia.registry"
local report = require "curia.view.report"
local shared = require "curia.store.shared"
local signals = require "curia.cli.signals"
local suggest = require "curia.suggest"
local system = require "curia.core.system"
local task = require "curia.task"
local usage = require "curia.cli.usage"
local uv = require "luv"
local watching = require "curia.engine.watching"
local width = require "curia.view.width"
local words = require "curia.view.words"
local workflow_files = require "curia.workflows.files"
local workflows = require "curia.workflows"

local M = {}

local EXIT = { done = 0, failed = 1, cancelled = 1, blocked = 2, running = 0 }
local FAILED = 1

-- What is under way when the program is to end may take so long.
local DRAIN_MS = 10000

local function say(text)
  io.stderr:write("curia: ", text, "\n")
end

local function failed(err)
  io.stderr:write("curia: ", err.message, "\n")
  for _, fault in ipairs(err.context and err.context.faults or {}) do
    local at = fault.at and fault.at .. ": " or ""
    io.stderr:write(("  %s%s: %s: %s\n"):format(at, fault.path, fault.code, fault.message))
  end
  return FAILED
end

local function print_json(value)
  io.write(assert(json.encode(value, { indent = 2 })), "\n")
end

-- ---- what is shown ------------------------------------------------------------------------------------

local function lasted(row)
  return row.finished_at and row.started_at and " " .. words.duration(row.finished_at - row.started_at) or ""
end

-- Whoever resumes the workflow takes the step over.
local function is_left(step)
  local store = step.status == "running" and step.owner and shared.configured()
  return store and not node.is_alive(store, step.owner)
end

local function remark(made, step)
  if is_left(step) then return ("the process that began it has died: curia workflow resume %s"):format(made.id) end
  if step.status == "blocked" then return ("curia workflow approve %s %s yes|no"):format(made.id, step.name) end
  if step.status == "paused" then return ("%s (curia workflow resume %s)"):format(step.error.message, made.id) end
  if step.reused_from then return "taken from " .. step.reused_from end
  return step.error and step.error.message
end

local STEP_INDENT = 4

local function step_line(made, step, columns)
  local again = step.attempt > 1 and (" (attempt %d)"):format(step.attempt) or ""
  local more = remark(made, step)
  local text = ("  %-20s %s%s%s%s"):format(step.name, step.status, again, lasted(step), more and ": " .. more or "")
  return table.concat(width.hang(width.clean(text):gsub("\n", " "), columns, STEP_INDENT), "\n") .. "\n"
end

local function text_of(result)
  if type(result) == "table" and type(result.content) == "string" then return result.content end
  if type(result) == "string" then return result end
  return assert(json.encode(result, { indent = 2 }))
end

-- A pipe gets results as they are.
local function result_text(result, out)
  local text = text_of(result)
  return out.columns and report.for_terminal(text, out.columns) or text
end

local function tell(made)
  local out = paper.open()
  local columns = out.columns or math.maxinteger
  out:write(width.clean(("workflow %s %s: %s%s"):format(made.name, made.id, made.status, lasted(made))) .. "\n")
  for _, step in ipairs(made.steps) do out:write(step_line(made, step, columns)) end
  if made.error then out:write(table.concat(width.wrap_all(width.clean(made.error.message), columns), "\n") .. "\n") end
  for _, step in ipairs(made.steps) do
    local result = made.result and made.result[step.name]
    if result ~= nil then out:write(("\n%s:\n%s\n"):format(step.name, result_text(result, out))) end
  end
end

local function show(values, made)
  if values.json then print_json(made) else tell(made) end
  return EXIT[made.status]
end

-- ---- going on until it ends or waits ------------------------------------------------------------------

local TOLD = {
  step_started = function(event) return event.status == "blocked" and "waits for approval" or "begins" end,
  step_done = function(event) return event.reused_from and "is taken from " .. event.reused_from or "is done" end,
  step_failed = function(event)
    return ("has failed: %s%s"):format(event.error.message, event.status == "retrying" and "; it is tried again" or "")
  end,
}

local function watch(values, id)
  if values.json then return nil end
  return watching.subscribe({ topic = "workflow:" .. id }, function(event)
    local told = TOLD[event.type]
    if told then io.stderr:write(width.clean(("%s %s"):format(event.step, told(event))), "\n") end
  end)
end

-- Runs that the workflow does not need any more come to their end, or are let go.
local function see_off()
  local ends = clock.ms() + DRAIN_MS
  while next(durable.live) and clock.ms() < ends do task.sleep(5) end
  recovery.release(0)
end

-- Ctrl-C is meant for the workflow.
local function cancel(values, id, ending)
  say "cancelling"
  local ok, err = workflows.cancel(id, ending.reason)
  if not ok then return failed(err) end
  see_off()
  local made
  made, err = workflows.get(id)
  if not made then return failed(err) end
  show(values, made)
  say(("%s: workflow %s is %s"):format(ending.reason, id, made.status))
  return ending.code
end

local function let_go(drain_ms)
  task.all { function() workflows.stop(drain_ms) end, function() recovery.release(drain_ms) end }
end

-- SIGTERM is meant for this process: the workflow goes on in another.
local function leave(id, ending)
  say(("%s; what is under way may end in %g s"):format(ending.reason, DRAIN_MS / 1000))
  let_go(DRAIN_MS)
  local made = workflows.get(id)
  if made and made.status ~= "running" then say(("workflow %s is %s"):format(id, made.status))
  else say(("workflow %s is left as it is; curia workflow resume %s goes on with it"):format(id, id)) end
  return ending.code
end

-- The workflow when it has ended, or waits for somebody; nothing when a signal has come first.
local function await(id, ending)
  local found = task.first {
    function() return table.pack(workflows.await(id)) end,
    function()
      while not ending.now do ending.told:wait() end
      return {}
    end,
  }
  return found[1], found[2]
end

local function interrupted(values, id, ending)
  local hurry = task.spawn_background(function()
    ending.told:wait()
    let_go(0)
  end)
  local code = ending.code == signals.CTRL_C and cancel(values, id, ending) or leave(id, ending)
  hurry:cancel()
  return code
end

local function go(values, id, act, ending)
  local ok, err = act()
  if not ok then return failed(err) end
  local made
  made, err = await(id, ending)
  if not made and not err then return interrupted(values, id, ending) end
  see_off()
  if not made then return failed(err) end
  return show(values, made)
end

local function follow(values, id, act)
  local watcher, hearing = watch(values, id), recovery.hear()
  local ending <close> = signals.the_end()
  local code = go(values, id, act, ending)
  hearing:stop()
  if watcher then watcher:stop() end
  return code
end

-- A council's name may be that of one which comes with Curia.
local function find_council(step)
  local registry = registries.shared()
  if type(step.council) ~= "string" or registry:lookup("council", step.council) then return end
  local found = library.load(step.council)
  if found then registry:register("council", step.council, found) end
end

local function load(file)
  local definition, err = workflow_files.load(file)
  if not definition then return nil, err end
  for _, step in ipairs(definition.steps) do
    if type(step) == "table" then find_council(step) end
  end
  return definition
end

-- Without its definition a workflow can be decided about, but not go on.
local function load_again(values, made)
  local file = values.file or made.source
  if not file then return nil end
  local definition, err = load(file)
  if definition then definition, err = workflows.register(definition) end
  if not definition then io.stderr:write(("curia: %s; it does not go on here (--file FILE)\n"):format(err.message)) end
end

-- ---- the actions --------------------------------------------------------------------------------------

local ACTIONS = {}

local function trigger_of(values)
  if not values.input and not values.set then return {} end
  return input.read(nil, values.input, values.set)
end

-- Where the definition is found again, from whatever folder.
local function source_of(file)
  local path, name = loader.split(file)
  return uv.fs_realpath(path) .. (name and "#" .. name or "")
end

function ACTIONS.start(values, file)
  local definition, err = load(file)
  if not definition then return err.code == "not_found" and usage.misused(err.message, "workflow") or failed(err) end
  local trigger, message = trigger_of(values)
  if not trigger then return usage.misused(message, "workflow") end
  local id = values.id or system.uuid7()
  return follow(values, id, function()
    return workflows.start(definition, trigger, { id = id, subject = values.subject, source = source_of(file),
      options = values.offline and { offline = true } or nil })
  end)
end

local function list_line(row)
  return ("%s  %-10s %s%s  %s\n"):format(row.id, row.status, row.name, row.subject and " " .. row.subject or "",
    words.timestamp(row.started_at))
end

-- As `curia runs list` has it: two lines that fit, where people read.
local function terminal_lines(row, out)
  local about = width.cut(width.clean(row.subject and ("%s: %s"):format(row.name, row.subject) or row.name),
    out.columns - 3)
  return ("%s  %-10s %s\n  %s\n"):format(row.id, row.status, words.short_moment(row.started_at),
    out.paint.dim(about))
end

local function print_list(found)
  local out = paper.open()
  if out.columns and #found == 0 then print "no workflows" end
  for _, row in ipairs(found) do out:write(out.columns and terminal_lines(row, out) or list_line(row)) end
end

function ACTIONS.list(values)
  local found, err = workflows.list { status = values.status, workflow = values.name, limit = values.limit or 20 }
  if not found then return failed(err) end
  if values.json then print_json(json.array(table.move(found, 1, #found, 1, {}))) return 0 end
  print_list(found)
  return 0
end

function ACTIONS.show(values, id)
  local made, err = workflows.get(id)
  if not made then return failed(err) end
  show(values, made)
  return 0
end

function ACTIONS.approve(values, id, step, decision)
  local made, err = workflows.get(id)
  if not made then return failed(err) end
  load_again(values, made)
  return follow(values, id, function() return workflows.approve(id, step, decision == "yes", values.note) end)
end

function ACTIONS.resume(values, id)
  local made, err = workflows.get(id)
  if not made then return failed(err) end
  load_again(values, made)
  return follow(values, id, function() return workflows.resume(id) end)
end

function ACTIONS.cancel(values, id)
  local ok, err = workflows.cancel(id, values.note)
  if not ok then return failed(err) end
  local made = assert(workflows.get(id))
  show(values, made)
  return 0
end

local function newest()
  local found, err = workflows.list { limit = 1 }
  if not found then return nil, err end
  if found[1] then return found[1].id end
  return nil, errors.new("validation", "there is no workflow yet", { code = "unknown_workflow" })
end

-- Where nothing is stored there is nothing to look at; that there is nothing to list is an answer.
local function absent(action)
  local err = shared.absence()
  local code = err and failed(err)
  return code and err.code == "nothing_stored" and action == "list" and 0 or code
end

-- "last" is the newest workflow.
local function perform(values, action, id, ...)
  if action == "start" then return ACTIONS.start(values, id, ...) end
  local code = absent(action)
  if code then return code end
  if id ~= "last" then return ACTIONS[action](values, id, ...) end
  local found, err = newest()
  if not found then return failed(err) end
  return ACTIONS[action](values, found, ...)
end

local DECISIONS = { yes = true, no = true }
local ARGUMENTS = { start = "the file", show = "the id", approve = "the id", resume = "the id", cancel = "the id" }

local MOST = { start = 2, list = 1, show = 2, approve = 4, resume = 2, cancel = 2 } -- arguments

local function fault(values, rest)
  local name = rest[1]
  if not name then return "what to do is missing: start, list, show, approve, resume or cancel" end
  if not ACTIONS[name] then return suggest.message("action", name, ACTIONS) end
  if rest[MOST[name] + 1] then return ("'%s' is an argument too many"):format(rest[MOST[name] + 1]) end
  if ARGUMENTS[name] and not rest[2] then return ("%s of the workflow is missing"):format(ARGUMENTS[name]) end
  if name == "approve" and not rest[3] then return "the step is missing" end
  if name == "approve" and not DECISIONS[rest[4]] then return "the decision is missing: yes or no" end
  if values.status and not EXIT[values.status] then return suggest.message("status", values.status, EXIT) end
end

--- `curia workflow ACTION ... [OPTIONS]`
---@param values table options
---@param rest string[] the action and its arguments
---@return integer exit code
function M.main(values, rest)
  local message = fault(values, rest)
  if message then return usage.misused(message, "workflow") end
  local code = perform(values, table.unpack(rest))
  shared.close()
  return code
end

return M
