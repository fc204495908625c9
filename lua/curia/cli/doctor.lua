--- `curia doctor [COUNCIL]`: what works here, and what to do about what does not.
local calls = require "curia.doctor.calls"
local curia = require "curia"
local environment = require "curia.doctor.environment"
local json = require "curia.json"
local library = require "curia.cli.library"
local planning = require "curia.language.plan"
local reach = require "curia.cli.reach"
local store = require "curia.doctor.store"
local task = require "curia.task"
local usage = require "curia.cli.usage"
local width = require "curia.view.width"

local M = {}

-- The three profiles that the councils which come with Curia ask.
local function profiles_council()
  local body = { rounds = { { type = "independent_analysis" } }, members = {} }
  for i, name in ipairs { "fast", "balanced", "deep" } do body.members[i] = { id = name, profile = name } end
  return curia.council "profiles" (body)
end

local function plan_of(council)
  local plan, err = planning.plan(council)
  if not plan then return nil, err end
  local reached = reach.look(plan)
  if not reached.ok then return nil, nil, reached.missing end
  if reached.models then plan, err = planning.plan(council, nil, { models = reached.models }) end
  return plan, err
end

-- ---- what is found out ------------------------------------------------------------------------------

local function examine(council, with_calls)
  local report = {
    surroundings = environment.surroundings(), settings = environment.settings(), keys = environment.keys(),
    ollama = environment.ollama(), store = store.facts(), council = council.name,
  }
  local plan, err, missing = plan_of(council)
  report.error, report.missing = err, missing
  if plan and with_calls then report.calls = calls.ask(plan) end
  return report
end

local function all_well(facts)
  for _, fact in ipairs(facts) do
    if fact.good == false then return false end
  end
  return true
end

local function is_well(report)
  if report.error or report.missing then return false end
  for _, call in ipairs(report.calls or {}) do
    if not call.ok then return false end
  end
  return all_well(report.surroundings) and all_well(report.store)
end

-- ---- how it is told ---------------------------------------------------------------------------------

local function say(format, ...)
  print(width.clean(format:format(...)))
end

local function say_facts(title, facts)
  say("%s", title)
  for _, fact in ipairs(facts) do
    say("  %s %-20s %s", fact.good == false and "✗" or fact.good and "✓" or " ", fact.name, fact.value)
  end
end

local function say_settings(settings)
  say "\nConfiguration"
  for _, row in ipairs(settings) do say("    %-24s %s  (%s)", row.key, row.value, row.source) end
end

local function say_call(call)
  local who = table.concat(call.members, ", ")
  if call.ok then return say("  ✓ %s answers in %.0f ms (%s)", call.model, call.ms, who) end
  say("  ✗ %s (%s): %s", call.model, who, tostring(call.error))
  if call.advice then say("    %s", call.advice) end
end

local function say_models(report)
  say("\nModels of %s", report.council)
  if report.error then return say("  ✗ %s", tostring(report.error)) end
  if report.missing then return say("  ✗ nobody can be asked; it needs %s", table.concat(report.missing, ", or ")) end
  if not report.calls then return say "    not asked" end
  for _, call in ipairs(report.calls) do say_call(call) end
end

local function tell(report)
  say_facts("Here", report.surroundings)
  say_settings(report.settings)
  say_facts("\nStore", report.store)
  say_facts("\nKeys", report.keys)
  say_facts("\nLocal models", { report.ollama })
  say_models(report)
end

local function council_of(name)
  if not name then return profiles_council() end
  return library.load(name)
end

--- `curia doctor [COUNCIL] [--no-calls] [--json]`
---@param values {no_calls?: boolean, json?: boolean}
---@param rest string[]
---@return integer exit code
function M.main(values, rest)
  if #rest > 1 then return usage.misused("one council at a time", "doctor") end
  local council, err = council_of(rest[1])
  if not council then return usage.misused(err.message, "doctor") end
  local ok, report = task.run(examine, council, not values.no_calls)
  if not ok then error(report, 0) end
  report.ok = is_well(report)
  if values.json then print((assert(json.encode(report, { indent = 2 })))) else tell(report) end
  return report.ok and 0 or 1
end

return M
