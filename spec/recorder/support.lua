--- What the specs of recorders share: a store of their own, and runs that are recorded in it.
local T = require "spec.engine.support"
local config = require "curia.config"
local shared = require "curia.store.shared"
local stores = require "spec.store.support"

local M = {}

--- Makes a folder with a configured store; `close` takes both away.
function M.open()
  local folder = stores.folder()
  assert(config.shared():set("call", { store = folder.url "runs.db", linger_ms = 60000 }))
  T.answers { a = "Yes.", b = "No.", c = "Perhaps." }
  return folder
end

function M.close(folder)
  shared.close()
  assert(config.shared():set("call", { mode = "single_node", at_rest = {} }))
  folder.remove()
end

--- A run that has ended and is stored.
function M.recorded(body, input, opts)
  local own = { recorder = true }
  for name, value in pairs(opts or {}) do own[name] = value end
  local run = assert(require "curia".start(T.council(body or {}), input or "Why?", own))
  run:await()
  run.recording:wait(60000)
  return run
end

return M
