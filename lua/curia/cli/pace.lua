--- Offline answers at the pace of people's reading: all at once, they would be over before anybody has seen how
--- a council works.
local configuration = require "curia.config"
local offline = require "curia.script.offline"

local M = {}

local DELAY_MS, WORD_MS = 250, 30

--- The canned answer to a request, in no hurry.
---@param request table neutral request
---@return table answer
function M.answer(request)
  local answer = offline.answer(request)
  answer.delay_ms, answer.chunk_delay_ms = DELAY_MS, WORD_MS
  return answer
end

--- Slows the scripted provider down, unless it has a script of the user's.
---@param config? curia.Config
function M.slow_down(config)
  config = config or configuration.shared()
  local provider = config.registry:lookup("provider", "scripted")
  if provider and provider.script ~= nil then return end
  assert(config:set("command_line", { providers = { scripted = { script = M.answer } } }))
end

return M
