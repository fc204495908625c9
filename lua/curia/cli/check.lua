--- `curia check COUNCIL|FILE...`: every fault at once, of councils and of workflows, before a token is spent.
local council = require "curia.council"
local errors = require "curia.errors"
local json = require "curia.json"
local lazy = require "curia.lazy"
local library = require "curia.cli.library"
local loader = require "curia.language.loader"
local planning = require "curia.language.plan"
local registries = require "curia.registry"
local suggest = require "curia.suggest"
local usage = require "curia.cli.usage"
local validation = require "curia.language.validate"
local words = require "curia.view.words"
local workflows = lazy "curia.workflows.definition"

local M = {}

---@class curia.cli.Report what is known of one council, or workflow
---@field file string with its name behind #, where the file has several
---@field ok boolean
---@field council? string
---@field workflow? string
---@field error? curia.Error it could not be loaded
---@field faults? {path: string, code: string, message: string, at?: string}[]

-- ---- councils -------------------------------------------------------------------------------------

local function facts(made)
  local plan = assert(planning.plan(made))
  return { members = #plan.members, rounds = #plan.rounds, chair = plan.chair ~= nil, free = plan.run ~= nil }
end

-- Data that is no council has faults with places, as a council has.
local function unloaded(file, err)
  local faults = err.kind == "invalid_council" and err.context.faults
  if faults then return { file = file, ok = false, faults = json.array(faults) } end
  return { file = file, ok = false, error = err }
end

local function of_council(file, made, err)
  if not made then return unloaded(file, err) end
  local valid, faults = validation.validate(made)
  if not valid then return { file = file, ok = false, council = made.name, faults = json.array(faults) } end
  local report = facts(made)
  report.file, report.ok, report.council = file, true, made.name
  return report
end

-- ---- workflows ------------------------------------------------------------------------------------

local function unknown_council(name)
  local registry = registries.shared()
  if registry:lookup("council", name) then return nil end
  local found, err = library.find(name)
  if found then return nil end
  local hint = suggest.hint(name, registry:list "council")
  return { path = "", code = "unknown_council", message = hint ~= "" and ("no council '%s'%s"):format(name, hint)
    or err.message }
end

local function council_faults(given)
  if type(given) == "string" then return { unknown_council(given) } end
  local _, faults = validation.validate(given)
  return faults or {}
end

-- What its own faults do not say: those of the councils of its steps.
local function add_council_faults(made, faults)
  for i, step in ipairs(made.steps) do
    local given = type(step) == "table" and step.council
    if type(given) == "string" or council.is(given) then
      for _, fault in ipairs(council_faults(given)) do
        local path = ("steps[%d].council"):format(i)
        fault.path = fault.path == "" and path or path .. "." .. fault.path
        fault.at = made:place(path)
        faults[#faults + 1] = fault
      end
    end
  end
end

local function of_workflow(file, made)
  local _, faults = made:validate()
  faults = json.array(faults or {})
  add_council_faults(made, faults)
  local good = #faults == 0
  return { file = file, ok = good, workflow = made.name, steps = #made.steps, faults = not good and faults or nil }
end

-- ---- files ----------------------------------------------------------------------------------------

local function declares_workflow(declared)
  for _, made in ipairs(declared) do
    if workflows.is(made) then return true end
  end
  return false
end

local function no_such_name(file, name, declared)
  local names = {}
  for i, made in ipairs(declared) do names[i] = made.name end
  return unloaded(file, errors.new("script", ("%s declares no '%s'%s"):format(file, name, suggest.hint(name, names))))
end

-- The steps of a file's workflows may name its councils.
local function of_all(file, name, declared)
  local reports = {}
  for _, made in ipairs(declared) do
    if council.is(made) then registries.shared():register("council", made.name, made) end
  end
  for _, made in ipairs(declared) do
    if not name or made.name == name then
      local label = not name and #declared > 1 and ("%s#%s"):format(file, made.name) or file
      reports[#reports + 1] = workflows.is(made) and of_workflow(label, made) or of_council(label, made)
    end
  end
  if #reports == 0 then reports[1] = no_such_name(file, name, declared) end
  return reports
end

local function look_at(file)
  local path, err = library.find(file)
  if not path then return { unloaded(file, err) } end
  if path:find "%.json$" then return { of_council(file, loader.load(path)) } end
  local source, name = loader.split(path)
  local declared, returned = loader.evaluate(source)
  if not declared then return { unloaded(file, returned) } end
  if declares_workflow(declared) then return of_all(file, name, declared) end
  return { of_council(file, loader.council_of(source, name, declared, returned)) }
end

-- ---- telling --------------------------------------------------------------------------------------

local function good_line(report)
  if report.workflow then return ("ok: workflow, %s"):format(words.counted(report.steps, "step")) end
  local parts = { words.counted(report.members, "member") }
  parts[2] = report.free and "free Lua" or words.counted(report.rounds, "round")
  if report.chair then parts[3] = "chair" end
  return "ok: " .. table.concat(parts, ", ")
end

local function print_report(report, several)
  local prefix = several and report.file .. ": " or ""
  if report.ok then
    io.write(prefix, good_line(report), "\n")
  elseif report.error then
    io.stderr:write("curia: ", report.error.message, "\n")
  end
  for _, fault in ipairs(report.faults or {}) do
    local place = fault.path == "" and (report.workflow and "workflow" or "council") or fault.path
    io.write(("%s: %s: %s: %s\n"):format(fault.at or report.file, place, fault.code, fault.message))
  end
end

local function print_document(reports, ok)
  local document = { ok = ok, councils = json.array() }
  for _, report in ipairs(reports) do
    local kind = report.workflow and "workflows" or "councils"
    document[kind] = document[kind] or json.array()
    table.insert(document[kind], report)
  end
  io.write(assert(json.encode(document, { indent = 2 })), "\n")
end

local function exit_code(reports, ok)
  if ok then return 0 end
  for _, report in ipairs(reports) do
    if not report.error or report.error.code ~= "not_found" then return 1 end
  end
  return usage.CODE
end

local function look_at_all(files)
  local reports, ok = {}, true
  for _, file in ipairs(files) do
    for _, report in ipairs(look_at(file)) do
      reports[#reports + 1] = report
      ok = ok and report.ok
    end
  end
  return reports, ok
end

--- `curia check COUNCIL|FILE... [--json]`
---@param values table options
---@param rest string[] files or names
---@return integer exit code
function M.main(values, rest)
  if #rest == 0 then return usage.misused("the council is missing", "check") end
  local reports, ok = look_at_all(rest)
  if values.json then print_document(reports, ok)
  else
    for _, report in ipairs(reports) do print_report(report, #reports > 1) end
  end
  return exit_code(reports, ok)
end

return M
