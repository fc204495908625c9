--- `curia run`: asks a council, shows what happens, prints the answer.
local approval = require "curia.cli.approval"
local config = require "curia.config"
local errors = require "curia.errors"
local input = require "curia.cli.input"
local lazy = require "curia.lazy"
local library = require "curia.cli.library"
local options = require "curia.cli.options"
local otlp = lazy "curia.otlp"
local pace = require "curia.cli.pace"
local planning = require "curia.language.plan"
local recorders = require "curia.recorder.choice"
local reach = require "curia.cli.reach"
local records = require "curia.view.records"
local report = require "curia.view.report"
local signals = require "curia.cli.signals"
local stores = lazy "curia.store.shared"
local task = require "curia.task"
local terminal = require "curia.view.terminal"
local usage = require "curia.cli.usage"
local uv = require "luv"
local views = require "curia.view"
local width = require "curia.view.width"
local words = require "curia.view.words"

local M = {}

local STDOUT, STDERR = 1, 2
local OK, FAILED, PARTIAL = 0, 1, 2
local EXIT = { ok = OK, partial = PARTIAL, error = FAILED }

local function complain(text)
  local columns = terminal.columns(STDERR) or math.maxinteger
  io.stderr:write(table.concat(width.hang(width.clean("curia: " .. text), columns, 7), "\n"), "\n")
end

-- ---- what is asked ------------------------------------------------------------------------------

local function models_of(pairs_given)
  local models = {}
  for _, pair in ipairs(pairs_given or {}) do models[pair[1]] = pair[2] end
  return models
end

local function planned_rounds(plan)
  local rounds = {}
  for i, round in ipairs(plan.rounds) do
    local chair, ids = round.module.chair == true, {}
    for j, member in ipairs(chair and { plan.chair } or plan.members) do ids[j] = member.id end
    rounds[i] = {
      name = round.name, members = round.members or ids, chair = chair, samples = round.samples,
      iterations = round.max_iterations or round.max_rounds,
    }
  end
  return rounds
end

local function budget_of(request)
  local usd = request.values.budget_usd
  return usd and { usd = usd } or request.plan.spec.budget
end

local function about(request)
  local question = request.input.question
  return {
    council = request.council.name, question = type(question) == "string" and question or nil,
    offline = request.offline, planned = planned_rounds(request.plan), budget = budget_of(request),
  }
end

local function member_ids(plan)
  local ids = {}
  for i, member in ipairs(plan.members) do ids[i] = member.id end
  ids[#ids + 1] = plan.chair and plan.chair.id
  return ids
end

local function make_plan(request)
  local plan, err = planning.plan(request.council, nil, { offline = request.offline, models = request.models })
  request.plan = plan
  return plan, err
end

local function missing_error(reached, request)
  local message = ("council '%s' has nobody to ask; it needs %s"):format(
    request.council.name, table.concat(reached.missing, ", or "))
  return errors.new("auth", message, { code = "no_model" })
end

-- Decides between real models and a script.
local function choose_models(request)
  local reached = reach.look(request.plan)
  if reached.note then complain(reached.note) end
  for id, model in pairs(reached.models or {}) do request.models[id] = model end
  if reached.ok then return make_plan(request) end
  local err = missing_error(reached, request)
  if not request.values.or_offline then
    err.message = err.message .. "; --offline runs without, on scripted answers that are marked so"
    return nil, err
  end
  complain(err.message)
  complain("going on offline: what follows is scripted, no model is asked")
  request.offline = true
  return make_plan(request)
end

-- ---- the run ------------------------------------------------------------------------------------

-- The program keeps its runs unless it is told not to. What cannot be stored is told once, at the end.
local function recorder_of(request)
  local conf = config.shared()
  local setting = conf:get "recorder"
  if request.values.no_record or setting == false then return false end
  local backend, given = recorders.parts(setting or conf:get "mode" == "multi_node" and "postgres" or "sqlite")
  local args = { source = request.source, parent_attempt_run_id = request.again_of }
  for name, value in pairs(given) do args[name] = value end
  function args.on_failure(err) request.unrecorded = request.unrecorded or err end
  return { backend, args }
end

local function start_options(request)
  local values = request.values
  return {
    recorder = recorder_of(request), durability = values.durable and "sync" or nil,
    offline = request.offline or nil, models = next(request.models) and request.models or nil,
    seed = values.seed, deadline_ms = values.deadline,
    budget = values.budget_usd and budget_of(request) or nil,
  }
end

-- Nobody reads the events any more: nobody wants the run either.
local function print_event(event, run)
  if not io.stdout:write(records.line(event)) or not io.stdout:flush() then run:cancel("nobody reads the events") end
end

-- The runs inside of the run have a say too: what they wait for is asked here, and views show who is in them.
local function follow(run, view, values)
  local mode = approval.mode(values.approve, run)
  for event in run:events { tokens = values.events or view.tokens, sub_runs = true } do
    if not values.events then view:event(event)
    elseif event.run_id == run.id then print_event(event, run) end
    if event.type == "run_blocked" and event.call then approval.decide(event, view, mode, run) end
  end
  return run:await()
end

local function is_silent(values)
  return values.quiet or values.events
end

-- Who watches answers as they come has to have the time to.
local function set_pace(request)
  local values = request.values
  local watched = not is_silent(values) and not values.verbose and terminal.suits_live()
  if request.offline and watched then pace.slow_down() end
end

local function open_view(request)
  local values = request.values
  if is_silent(values) then return views.silent() end
  if values.verbose then return views.timeline(about(request), values.verbose) end
  return (views.open(about(request)))
end

-- ---- the end ------------------------------------------------------------------------------------

--- Prints the answer of a result, if it has one. A pipe gets it byte by byte; a terminal gets it so that people can
--- read it, and clean.
---@param result table
function M.print_answer(result)
  local answer, columns = report.answer(result), terminal.columns(STDOUT)
  if not answer then return end
  if columns then answer = report.for_terminal(answer, columns, not terminal.is_utf8()) end
  io.stdout:write(answer, answer:sub(-1) == "\n" and "" or "\n")
end

-- Where nothing but the answer is wanted, it is told why there is none.
local function tell_failure(result)
  local failure = report.failure(result)
  if failure then complain(failure) end
end

local function problem_of(run, err)
  return run and run.status == "terminated" and "stopped" or words.problem(err)
end

local function print_outcome(request, result, err, run, paint)
  local values = request.values
  if values.json then
    io.stdout:write(records.document(result, err))
  elseif result and not values.events then
    M.print_answer(result)
  end
  io.stdout:flush()
  if not result then return complain(problem_of(run, err)) end
  if values.events then return end
  if values.quiet then return tell_failure(result) end
  local lines = report.footer(result, member_ids(request.plan), paint, terminal.columns(STDERR))
  io.stderr:write("\n", table.concat(lines, "\n"), "\n")
end

--- Tells, where a run has stopped without an end, which command goes on with it.
---@param run_id string
---@param err? curia.Error
function M.tell_how_to_go_on(run_id, err)
  local path = err and err.kind == "replay_mismatch" and err.context and err.context.path
  if path then io.stderr:write(("curia resume %s --accept %s goes on all the same\n"):format(run_id, path)) end
  if err and err.code == "released" then io.stderr:write(("curia resume %s goes on with it\n"):format(run_id)) end
end

local function exit_code(result, interrupted)
  if interrupted then return interrupted end
  return result and EXIT[result.status] or FAILED
end

local STORING_MS = 5000

-- The answer stands there already: what is left to be stored takes no time of anybody's.
local function keep(run, request)
  if not run.recording then return end
  local done, err = run.recording:wait(STORING_MS)
  if not done then complain("this run is not recorded: " .. (request.unrecorded or err).message) end
  stores.close()
end

local function begin(request)
  return require "curia".start(request.council, request.input, start_options(request))
end

-- What is asked of a durable run in its store, by another program, is heard here.
local function hear(run)
  if not run.root then return nil end
  return require "curia.recovery".hear()
end

-- Whoever takes a durable run up goes on with it.
local function let_go(at_once)
  task.spawn_root(require "curia.recovery".release, at_once and 0 or nil)
end

local function go(request)
  set_pace(request)
  local run, err = (request.begin or begin)(request)
  if not run then
    print_outcome(request, nil, err)
    return FAILED
  end
  local view <close> = open_view(request)
  local caught <close> = signals.catch(run, function(text) view:say(text) end, run.root and let_go)
  local hearing = hear(run)
  local result
  result, err = follow(run, view, request.values)
  if hearing then hearing:stop() end
  view:close()
  print_outcome(request, result, err, run, views.palette(view))
  M.tell_how_to_go_on(run.id, err)
  keep(run, request)
  return exit_code(result, caught.code)
end

-- ---- the command --------------------------------------------------------------------------------

local function failed(values, err)
  if values.json then io.stdout:write(records.document(nil, err)) end
  complain(err.message)
  for _, fault in ipairs(err.context and err.context.faults or {}) do
    io.stderr:write(("  %s: %s: %s\n"):format(fault.path, fault.code, fault.message))
  end
  return FAILED
end

-- An error of the program itself; the run's own errors are part of its result.
local function crashed(err)
  complain(tostring(err))
  io.stderr:write(type(err) == "table" and err.traceback or "", "\n")
  return FAILED
end

local function perform(request)
  local plan, err = make_plan(request)
  if not plan then return failed(request.values, err) end
  if not request.offline then plan, err = choose_models(request) end
  if not plan then return failed(request.values, err) end
  return go(request)
end

-- Whoever only wants an answer gets it, whether it can be traced or not.
local function start_export()
  local wanted = config.shared():get "otlp"
  if not wanted then return nil end
  local exporting, err = otlp.start(wanted ~= true and wanted or nil)
  if not exporting then complain(err.message .. "; nothing is exported") end
  return exporting
end

-- What a receiver answers is told by the log.
local function stop_export(exporting)
  local ok, err = exporting:stop()
  if not ok and err.kind == "timeout" then complain(err.message) end
end

-- However the run has ended, what is known of it is sent before the program ends.
local function perform_exported(request, fn)
  local exporting = start_export()
  local done, code = task.run(fn or perform, request)
  if exporting then stop_export(exporting) end
  return done and code or crashed(code)
end

local function question_of(rest)
  return #rest > 1 and table.concat(rest, " ", 2) or nil
end

local function check_usage(values, rest)
  if not rest[1] then return nil, "the council is missing" end
  local ok, message = options.exclusive(values, { "json", "events", "quiet" })
  if not ok then return nil, message end
  return options.exclusive(values, { "offline", "or-offline" })
end

-- What a stored run was asked with, as far as the command line can say it.
local function asked_again(row, council, values)
  local opts = row.options or {}
  return {
    values = values, council = council, source = row.source, input = row.input, again_of = row.run_id,
    offline = opts.offline, models = opts.models or {},
  }
end

--- Shows a run that goes on, as `curia run` does.
---@param council curia.Council
---@param row curia.store.RunRow
---@param values table options of `curia run`
---@param begin_ fun(): curia.Run?, curia.Error? async
---@return integer exit code
function M.go_on(council, row, values, begin_)
  local opts = row.options or {}
  local request = {
    values = values, council = council, input = row.input, offline = opts.offline, models = opts.models or {},
    begin = begin_,
  }
  local plan, err = make_plan(request)
  if not plan then return failed(values, err) end
  return perform_exported(request, go)
end

--- Asks once more what a stored run was asked: a new run, which names the first one as what it tries again.
---@param row curia.store.RunRow
---@param values table options of `curia run`
---@return integer exit code
function M.again(row, values)
  local council, err = library.load(row.source or row.council)
  if not council then return failed(values, err) end
  return perform_exported(asked_again(row, council, values))
end

--- `curia run COUNCIL [QUESTION] [OPTIONS]`
---@param values table options
---@param rest string[] the council, then the question's words
---@return integer exit code
function M.main(values, rest)
  local ok, message = check_usage(values, rest)
  if not ok then return usage.misused(message, "run") end
  local council, err = library.load(rest[1])
  if not council then
    if err.code == "not_found" then return usage.misused(err.message, "run") end
    return failed(values, err)
  end
  local given
  given, message = input.read(question_of(rest), values.input, values.set)
  if not given then return usage.misused(message, "run") end
  local request = {
    values = values, council = council, source = uv.fs_realpath(rest[1]) or rest[1], input = given,
    offline = values.offline, models = models_of(values.model),
  }
  return perform_exported(request)
end

return M
