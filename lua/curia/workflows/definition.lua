--- The workflow object: what `workflow "name" { step "a" {...}, ... }` makes. It is not changed by assignment.
local check = require "curia.language.check"
local errors = require "curia.errors"
local fields = require "curia.workflows.fields"
local graph = require "curia.workflows.graph"
local json = require "curia.json"
local lower = require "curia.language.lower"
local paths = require "curia.workflows.paths"
local system = require "curia.core.system"

local M = {}

---@class curia.Workflow
---@field name string
---@field at? string where it is declared, "file:line"
---@field places table<integer, string> where its steps are
---@field steps table[] their fields, lowered, in their order
---@field by_name table<string, table>
---@field subject? function|string
---@field plan curia.workflow.Plan
---@field hash string of the plan
local Workflow = { __name = "curia.workflow" }
Workflow.__index = Workflow

---@class curia.workflow.Plan the shape of a workflow, as data; what a started one goes by
---@field steps curia.workflow.PlanStep[]

---@class curia.workflow.PlanStep: curia.workflow.Node
---@field kind "council"|"function"|"approval"
---@field on_failure "abort"|"retry"|"pause"
---@field max_attempts integer
---@field backoff_ms integer
---@field never_retry string[]

local MAX_ATTEMPTS, BACKOFF_MS = 3, 5000

--- A step that waits for its place in a workflow: what `step "name" { ... }` makes.
M.Step = { __name = "curia.workflow_step" }

-- ---- lowering -------------------------------------------------------------------------------------

local function step_record(item)
  if getmetatable(item) ~= M.Step then return item end
  local record = {}
  for name, value in pairs(item.body or {}) do record[name] = value end
  record.name = record.name or item.name
  return record
end

local function lower_step(item)
  local record = step_record(item)
  if type(record) ~= "table" or check.class(record) then return record end
  local input = record.input -- may be any data, functions' tables too: it is judged as it is
  local made = lower.record(fields.step, record)
  made.input = input
  if type(made.after) == "string" then made.after = { made.after } end
  return made
end

local function split(body)
  local record, items = {}, {}
  for key, value in pairs(body) do
    if math.type(key) ~= "integer" then record[key] = value end
  end
  for _, item in ipairs(body) do items[#items + 1] = item or nil end
  return record, items
end

-- ---- judging --------------------------------------------------------------------------------------

local KINDS = { "council", "run", "approval" }

local function check_kind(step, path, what, faults)
  local said = {}
  for _, name in ipairs(KINDS) do
    if step[name] then said[#said + 1] = name end
  end
  if #said == 0 then
    faults:add(path, "missing", ("%s has none of council, run and approval"):format(what))
  elseif #said > 1 then
    faults:add(path, "conflict", ("%s has %s: it does one thing"):format(what, table.concat(said, " and ")))
  end
end

local function check_policy(step, path, what, faults)
  for _, name in ipairs { "max_attempts", "backoff_ms", "never_retry" } do
    if step[name] ~= nil and step.on_failure ~= "retry" then
      faults:add(path .. "." .. name, "conflict", ('%s of %s needs on_failure = "retry"'):format(name, what))
    end
  end
  if step.approval and step.on_failure == "retry" then
    faults:add(path .. ".on_failure", "conflict", ("%s is an approval: a refusal is not tried again"):format(what))
  end
end

local APPLIES = { options = "council", timeout_ms = "run" }

local function check_applies(step, path, what, faults)
  for _, name in ipairs(check.sorted_keys(APPLIES)) do
    if step[name] ~= nil and not step[APPLIES[name]] then
      faults:add(path .. "." .. name, "conflict", ("%s of %s needs a %s"):format(name, what,
        APPLIES[name] == "run" and "function (run)" or "council"))
    end
  end
  if step.approval and step.reuse_ms then
    faults:add(path .. ".reuse_ms", "conflict", ("%s is an approval: it is asked for each time"):format(what))
  end
end

local function check_step(step, path, faults)
  if type(step) ~= "table" or check.class(step) then
    return faults:add(path, "wrong_type", ('expected step "name" { ... } here, not a %s'):format(
      check.class(step) or type(step)))
  end
  local what = ("step '%s'"):format(tostring(step.name or "?"))
  check.record(fields.step, step, path, what, faults)
  check_kind(step, path, what, faults)
  check_policy(step, path, what, faults)
  check_applies(step, path, what, faults)
  if type(step.input) ~= "function" and step.input ~= nil then
    check.value({ type = "any", plain = true }, step.input, path .. ".input", "input of " .. what, faults)
  end
end

local function index(steps, faults)
  local by_name = {}
  for i, step in ipairs(steps) do
    local name = type(step) == "table" and step.name
    if name and by_name[name] then
      faults:add(("steps[%d].name"):format(i), "duplicate_id", ("there are two steps '%s'"):format(tostring(name)))
    end
    if name then by_name[name] = step end
  end
  return by_name
end

local function node_of(step)
  return { name = step.name, after = step.after or {} }
end

local function nodes_of(steps)
  local nodes = {}
  for i, step in ipairs(steps) do nodes[i] = node_of(step) end
  return nodes
end

local function check_after(step, path, by_name, faults)
  for i, name in ipairs(step.after or {}) do
    if not by_name[name] then
      faults:add(("%s.after[%d]"):format(path, i), "unknown_step", ("step '%s' is after '%s', which is no step%s")
        :format(tostring(step.name), tostring(name), faults:hint(name, by_name)))
    end
  end
end

local function check_prior(step, path, by_name, nodes, faults)
  if type(step.input) == "function" then return end
  local before = graph.before(nodes, step.name)
  for _, said in ipairs(paths.steps(step.input)) do
    if not by_name[said.step] then
      faults:add(path .. ".input", "unknown_step", ("'%s' speaks of '%s', which is no step%s"):format(said.text,
        said.step, faults:hint(said.step, by_name)))
    elseif not before[said.step] then
      faults:add(path .. ".input", "conflict", ("'%s' needs '%s' in `after`: it may not be done yet"):format(
        said.text, said.step))
    end
  end
end

local function check_graph(steps, by_name, faults)
  local nodes = nodes_of(steps)
  for i, step in ipairs(steps) do check_after(step, ("steps[%d]"):format(i), by_name, faults) end
  local cycle = graph.cycle(nodes)
  if cycle then
    return faults:add("steps", "cycle", "steps wait for each other: " .. table.concat(cycle, " -> "))
  end
  for i, step in ipairs(steps) do check_prior(step, ("steps[%d]"):format(i), by_name, nodes, faults) end
end

local function check_subject(subject, faults)
  local keys = paths.parse(subject)
  if type(subject) ~= "string" or keys and keys[1] == "trigger" then return end
  faults:add("subject", "out_of_range", ('subject: function(trigger), or a path such as "trigger.id", not "%s"')
    :format(subject))
end

-- Whether the steps can be looked at as a graph, whatever else may be wrong with them.
local function is_graph(steps)
  for _, step in ipairs(steps) do
    if type(step) ~= "table" or check.class(step) or type(step.name) ~= "string" then return false end
    if step.after ~= nil and type(step.after) ~= "table" then return false end
  end
  return true
end

local function judge(name, record, steps)
  local faults = check.faults()
  check.record(fields.workflow, record, "", ("workflow '%s'"):format(name), faults)
  check_subject(record.subject, faults)
  if #steps == 0 then faults:add("steps", "empty", ("workflow '%s' has no steps"):format(name)) end
  for i, step in ipairs(steps) do check_step(step, ("steps[%d]"):format(i), faults) end
  local by_name = index(steps, faults)
  if is_graph(steps) then check_graph(steps, by_name, faults) end
  return by_name, faults
end

-- ---- making ---------------------------------------------------------------------------------------

local function kind_of(step)
  return step.council and "council" or step.run and "function" or "approval"
end

local function plan_step(step)
  return {
    name = step.name, kind = kind_of(step), after = json.array(step.after or {}),
    on_failure = step.on_failure or "abort", max_attempts = step.max_attempts or MAX_ATTEMPTS,
    backoff_ms = step.backoff_ms or BACKOFF_MS, never_retry = json.array(step.never_retry or {}),
  }
end

local function plan_of(steps)
  local plan = { steps = {} }
  for i, step in ipairs(steps) do plan.steps[i] = plan_step(step) end
  return plan
end

local function items_of(record, positional)
  if type(record.steps) ~= "table" then return positional end
  return table.move(record.steps, 1, #record.steps, #positional + 1, positional)
end

local function places_of(items)
  local places = {}
  for i, item in ipairs(items) do places[i] = getmetatable(item) == M.Step and item.at or nil end
  return places
end

--- Makes a workflow of the body of its declaration. What is wrong with it is told by `validate`, and when it is
--- started.
---@param name string
---@param body table steps by position or in `steps`
---@param at? string where it is declared, "file:line"
---@return curia.Workflow
function M.new(name, body, at)
  local record, positional = split(body)
  local items, steps = items_of(record, positional), {}
  for i, item in ipairs(items) do steps[i] = lower_step(item) end
  local by_name, faults = judge(name, record, steps)
  local made = setmetatable({
    name = name, about = record.about, subject = record.subject, steps = steps, by_name = by_name, faults = faults,
    at = at, places = places_of(items),
  }, Workflow)
  for _, fault in ipairs(faults) do fault.at = made:place(fault.path) end
  if #faults > 0 then return made end
  made.plan = plan_of(steps)
  made.hash = system.sha256(assert(json.encode(made.plan)))
  return made
end

--- Where the step of a fault's path is declared, else where the workflow is.
---@param path string
---@return string? at "file:line"
function Workflow:place(path)
  return self.places[tonumber(path:match "^steps%[(%d+)%]")] or self.at
end

--- Whether a value is a workflow.
---@param value any
---@return boolean
function M.is(value)
  return getmetatable(value) == Workflow
end

--- Every fault at once; `at` of a fault is the line of its step, or of the workflow.
---@return true?
---@return curia.Fault[]? faults
function Workflow:validate()
  if #self.faults == 0 then return true end
  return nil, lower.copy(table.move(self.faults, 1, #self.faults, 1, {}))
end

--- The error that `start` answers with; nil for a workflow without a fault.
---@return curia.Error? err kind `validation`, the faults in `context.faults`
function Workflow:fault()
  local good, faults = self:validate()
  if good then return nil end
  local more = #faults > 1 and (" (and %d more)"):format(#faults - 1) or ""
  return errors.new("validation", ("workflow '%s': %s%s"):format(self.name, faults[1].message, more),
    { code = faults[1].code, context = { faults = faults } })
end

function Workflow:__tostring()
  return ("workflow '%s' (%d step%s)"):format(self.name, #self.steps, #self.steps == 1 and "" or "s")
end

return M
