--- `require "curia"`: councils of language models.
--
-- The language's words (council, member, round, chair), running (start, run, ...), and what
-- surrounds them. Rarely used parts are loaded when they are first asked for.
local language = require "curia.language"
local runs = require "curia.engine.runs"
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
  validate = language.validate,
  is_council = language.is_council,
  council_from = language.council_from,
  start = runs.start,
  run = runs.run,
  ask = runs.ask,
  group = runs.group,
  find = runs.find,
  await = runs.await,
  cancel = runs.cancel,
  terminate = runs.terminate,
  approve = runs.approve,
  state = runs.state,
  result = runs.result,
  events = watching.events,
  subscribe = watching.subscribe,
  trace = watching.trace,
  on_end = runs.on_end,
}

--- The names that are registered of a kind, sorted: `curia.list "profile"`; with a filter, or nothing, the runs.
---@param what? string|table a registry kind, or the filter of `runs.list`
---@return table
function M.list(what)
  if type(what) == "string" then return require("curia.registry").shared():list(what) end
  return runs.list(what)
end

local LAZY = {
  anonymize = "curia.anonymize", errors = "curia.errors", http = "curia.http", json = "curia.json",
  prompts = "curia.prompts", task = "curia.task", adapters = "curia.adapters",
  topologies = "curia.topologies",
  calibration = "curia.calibration", reliability = "curia.reliability",
  rules = "curia.rules", telemetry = "curia.telemetry", otlp = "curia.otlp",
}

local FUNCTIONS = {}

function FUNCTIONS.auto()
  return require("curia.auto").word
end

function FUNCTIONS.escalate()
  return require("curia.escalate").word
end

function FUNCTIONS.null()
  return require("curia.json").null
end

function FUNCTIONS.estimate()
  return require("curia.engine.estimate").estimate
end

function FUNCTIONS.decide()
  return require("curia.rules").decide
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

--- curia.step(): one turn of the loop that does not block; true while anything is under way. For scripts that have a
--- loop of their own (a game's): from the main thread, outside of any callback of the loop.
function FUNCTIONS.step()
  return function() return system.turn(false) end
end

--- curia.loop(): turns the loop until nothing is under way.
function FUNCTIONS.loop()
  return function()
    while system.turn(true) do end
  end
end

function FUNCTIONS.register()
  local registry = require("curia.registry").shared()
  return function(kind, name, value) return registry:register(kind, name, value) end
end

function FUNCTIONS.unregister()
  local registry = require("curia.registry").shared()
  return function(kind, name) return registry:unregister(kind, name) end
end

function FUNCTIONS.lookup()
  local registry = require("curia.registry").shared()
  return function(kind, name) return registry:lookup(kind, name) end
end

--- curia.config{...}: settings for this process, stronger than environment and files.
function FUNCTIONS.config()
  return function(values) return require("curia.config").shared():set("call", values) end
end

return setmetatable(M, {
  __index = function(self, name)
    local value
    if LAZY[name] then value = require(LAZY[name])
    elseif FUNCTIONS[name] then value = FUNCTIONS[name]() end
    if value ~= nil then rawset(self, name, value) end
    return value
  end,
})
