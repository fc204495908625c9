--- `require "curia"`: councils of language models.
--
-- The language's words (council, member, round, chair), running (start, run, ...), and what
-- surrounds them. Rarely used parts are loaded when they are first asked for.
local language = require "curia.language"
local runs = require "curia.engine.runs"
local sharing = require "curia.registry.sharing"
local system = require "curia.core.system"
local watching = require "curia.engine.watching"

local M = {
  _VERSION = system.version,
  council = language.council,
  member = language.member,
  round = language.round,
  chair = language.chair,
  tool = language.tool,
  bm25 = language.bm25,
  http_get = language.http_get,
  mcp = language.mcp,
  env = language.env,
  cmd = language.cmd,
  file = language.file,
  load = language.load,
  is_council = language.is_council,
  council_from = language.council_from,
  register = sharing.register,
  unregister = sharing.unregister,
  lookup = sharing.lookup,
  start = runs.start,
  run = runs.run,
  ask = runs.ask,
  group = runs.group,
  find = runs.find,
  --- As `run:await`, by id. An id that is not known gives nil and an error of kind `unknown_run`.
  await = runs.await,
  --- As `run:cancel`, by id.
  cancel = runs.cancel,
  terminate = runs.terminate,
  --- As `run:approve`, by id.
  approve = runs.approve,
  --- As `run:state`, by id.
  state = runs.state,
  --- As `run:result`, by id.
  result = runs.result,
  --- As `run:events`, by id.
  events = watching.events,
  subscribe = watching.subscribe,
  --- As `run:trace`, by id.
  trace = watching.trace,
  --- As `run:on_end`, by id.
  on_end = runs.on_end,
}

--- Checks a council.
---@param made curia.Council anything else raises
---@param config? curia.Config the shared one
---@return true?
---@return curia.Fault[]? faults every fault, in a stable order, plain data
function M.validate(made, config)
  sharing.freshen()
  return language.validate(made, config)
end

--- The names that are registered of a kind, sorted: `curia.list "profile"`; with a filter, or nothing, the runs.
---@param what? string|table a registry kind, or the filter of `runs.list`
---@return table
function M.list(what)
  if type(what) == "string" then return sharing.list(what) end
  return runs.list(what)
end

local LAZY = {
  anonymize = "curia.anonymize", errors = "curia.errors", http = "curia.http", json = "curia.json",
  prompts = "curia.prompts", task = "curia.task", adapters = "curia.adapters",
  jobs = "curia.jobs", topologies = "curia.topologies",
  calibration = "curia.calibration", reliability = "curia.reliability",
  registry = "curia.registry.sharing", rules = "curia.rules", telemetry = "curia.telemetry", otlp = "curia.otlp",
  testing = "curia.testing", recovery = "curia.recovery", workflows = "curia.workflows",
}

local FUNCTIONS = {}

function FUNCTIONS.auto()
  return require("curia.auto").word
end

function FUNCTIONS.escalate()
  return require("curia.escalate").word
end

--- `curia.workflow "name" { ... }`: councils, functions and approvals that follow each other; its steps are
--- `curia.workflows.step "name" { ... }`.
---@param name string
---@return fun(body: table): curia.Workflow
function FUNCTIONS.workflow()
  return require("curia.workflows").workflow
end

--- Puts right what lost events have left behind in workflows: after a sweep, once they are registered.
---@async
---@param opts? {source_stack?: any, source_env?: any, workflow?: string, store?: curia.Store} absent scopes are those
--- of the configuration; `source_stack = false`: all stacks; `source_env = curia.null`: rows without one
---@return {replayed: integer, started: integer, skipped: integer}?
---@return curia.Error?
function FUNCTIONS.reconcile_workflows()
  return require("curia.workflows").reconcile
end

function FUNCTIONS.null()
  return require("curia.json").null
end

function FUNCTIONS.estimate()
  return require("curia.engine.estimate").estimate
end

function FUNCTIONS.migrate()
  return require("curia.migrate").migrate
end

function FUNCTIONS.decide()
  return require("curia.rules").decide
end

function FUNCTIONS.revote()
  return require("curia.revote").revote
end

function FUNCTIONS.agreement()
  return require("curia.agreement").agreement
end

function FUNCTIONS.bias()
  return require("curia.bias").bias
end

function FUNCTIONS.sequence_diagram()
  return require("curia.diagram").sequence
end

--- One turn of the loop that does not block. For scripts that have a loop of their own (a game's): from the main
--- thread, outside of any callback of the loop.
---@return boolean alive whether anything is under way
function FUNCTIONS.step()
  return function() return system.turn(false) end
end

--- Turns the loop until nothing is under way.
function FUNCTIONS.loop()
  return function()
    while system.turn(true) do end
  end
end

--- `curia.config { ... }`: settings for this process, stronger than environment and files.
---@param values table keys of the configuration
---@return true?
---@return curia.Error? err kind `validation`, all faults in `context.faults`
function FUNCTIONS.config()
  return function(values) return require("curia.config").shared():set("call", values) end
end

-- For those who list what there is: what is loaded late is there too.
local function names()
  local all = {}
  for _, source in ipairs { M, LAZY, FUNCTIONS } do
    for name in pairs(source) do all[name] = true end
  end
  return all
end

return setmetatable(M, {
  __names = names,
  __index = function(self, name)
    local value
    if LAZY[name] then value = require(LAZY[name])
    elseif FUNCTIONS[name] then value = FUNCTIONS[name]() end
    if value ~= nil then rawset(self, name, value) end
    return value
  end,
})
