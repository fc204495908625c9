--- `require "curia"`: councils of language models.
--
-- The language's words (council, member, round, chair), running (start, run, ...), and what
-- surrounds them. Rarely used parts are loaded when they are first asked for.
local language = require "curia.language"
local runs = require "curia.engine.runs"
local system = require "curia.core.system"

local M = {
  _VERSION = system.version,
  council = language.council,
  member = language.member,
  round = language.round,
  chair = language.chair,
  env = language.env,
  cmd = language.cmd,
  file = language.file,
  load = language.load,
  validate = language.validate,
  is_council = language.is_council,
  start = runs.start,
  run = runs.run,
  find = runs.find,
  list = runs.list,
  await = runs.await,
  cancel = runs.cancel,
  terminate = runs.terminate,
  state = runs.state,
  result = runs.result,
  events = runs.events,
  subscribe = runs.subscribe,
  on_end = runs.on_end,
}

local LAZY = {
  anonymize = "curia.anonymize", errors = "curia.errors", http = "curia.http", json = "curia.json",
  prompts = "curia.prompts", task = "curia.task", adapters = "curia.adapters",
}

local FUNCTIONS = {}

function FUNCTIONS.null()
  return require("curia.json").null
end

function FUNCTIONS.estimate()
  return require("curia.engine.estimate").estimate
end

function FUNCTIONS.decide()
  return require("curia.rules").decide
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
