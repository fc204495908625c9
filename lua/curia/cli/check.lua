--- `curia check COUNCIL...`: every fault at once, before a token is spent.
local json = require "curia.json"
local library = require "curia.cli.library"
local planning = require "curia.language.plan"
local usage = require "curia.cli.usage"
local validation = require "curia.language.validate"
local words = require "curia.view.words"

local M = {}

---@class curia.cli.Report what is known of one council file
---@field file string
---@field ok boolean
---@field council? string
---@field error? curia.Error it could not be loaded
---@field faults? {path: string, code: string, message: string}[]

local function facts(council)
  local plan = assert(planning.plan(council))
  return { members = #plan.members, rounds = #plan.rounds, chair = plan.chair ~= nil, free = plan.run ~= nil }
end

-- Data that is no council has faults with places, as a council has.
local function unloaded(file, err)
  local faults = err.kind == "invalid_council" and err.context.faults
  if faults then return { file = file, ok = false, faults = json.array(faults) } end
  return { file = file, ok = false, error = err }
end

local function look_at(file)
  local council, err = library.load(file)
  if not council then return unloaded(file, err) end
  local valid, faults = validation.validate(council)
  if not valid then return { file = file, ok = false, council = council.name, faults = json.array(faults) } end
  local report = facts(council)
  report.file, report.ok, report.council = file, true, council.name
  return report
end

local function good_line(report)
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
    local place = fault.path == "" and "council" or fault.path
    io.write(("%s: %s: %s: %s\n"):format(report.file, place, fault.code, fault.message))
  end
end

local function print_document(reports, ok)
  io.write(assert(json.encode({ ok = ok, councils = json.array(reports) }, { indent = 2 })), "\n")
end

local function exit_code(reports, ok)
  if ok then return 0 end
  for _, report in ipairs(reports) do
    if not report.error or report.error.code ~= "not_found" then return 1 end
  end
  return usage.CODE
end

--- `curia check COUNCIL... [--json]`
---@param values table options
---@param rest string[] files or names
---@return integer exit code
function M.main(values, rest)
  if #rest == 0 then return usage.misused("the council is missing", "check") end
  local reports, ok = {}, true
  for i, file in ipairs(rest) do
    reports[i] = look_at(file)
    ok = ok and reports[i].ok
  end
  if values.json then print_document(reports, ok)
  else
    for _, report in ipairs(reports) do print_report(report, #rest > 1) end
  end
  return exit_code(reports, ok)
end

return M
