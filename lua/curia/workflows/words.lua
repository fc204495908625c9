--- The words `workflow` and `step`.
local definition = require "curia.workflows.definition"

local M = {}

local Step = definition.Step

local function named(word, name)
  if type(name) == "string" and name ~= "" and #name <= 128 and not name:find "[/%c]" then return end
  error(('bad argument #1 to \'%s\' (a name expected: %s "name" { ... })'):format(word, word), 3)
end

local function check_body(word, name, body)
  if type(body) == "table" then return end
  error(("%s '%s' must be followed by { ... }, not by a %s"):format(word, name, type(body)), 3)
end

function Step:__call(body)
  check_body("step", self.name, body)
  self.body = body
  return self
end

function Step:__tostring()
  return ("step '%s'"):format(self.name)
end

-- Where a word stands that calls a function of this module; nil for what is no file's.
local function place_of_caller()
  local info = debug.getinfo(3, "Sl")
  return info.source:sub(1, 1) == "@" and ("%s:%d"):format(info.source:sub(2), info.currentline) or nil
end

--- `step "name" { council =, run =, approval =, input =, after =, ... }`, for the body of a workflow.
---@param name string
---@return fun(body: table): table
function M.step(name)
  named("step", name)
  return setmetatable({ name = name, at = place_of_caller() }, Step)
end

---@class curia.UnfinishedWorkflow `workflow "name"` that still waits for its braces
local Unfinished = { __name = "curia.unfinished_workflow" }

function Unfinished:__call(body)
  check_body("workflow", self.name, body)
  return self.collect(definition.new(self.name, body, self.at))
end

function Unfinished:__tostring()
  return ("workflow '%s' without its { ... }"):format(self.name)
end

--- `workflow "name" { step "a" { ... }, step "b" { ... } }`.
---@param collect fun(made: curia.Workflow): curia.Workflow is told of it
---@param name string
---@return fun(body: table): curia.Workflow
function M.workflow(collect, name)
  named("workflow", name)
  return setmetatable({ name = name, collect = collect, at = place_of_caller() }, Unfinished)
end

return M
