--- What nobody else will hear of: to the host's log, or to the function that the configuration names.
local config = require "curia.config"
local redact = require "curia.redact"
local system = require "curia.core.system"

local M = {}

local RANK = { error = 1, warn = 2, info = 3, debug = 4 }

local function call(fn, level, text)
  local ok, err = pcall(fn, level, text)
  if not ok then system.log("error", "the log function failed: " .. tostring(err)) end
end

--- Logs a line, without secrets. `log = "warn"` in the configuration hides info and debug;
--- `log = function(level, text)` takes all.
---@param level "error"|"warn"|"info"|"debug"
---@param text string
function M.write(level, text)
  local setting = config.shared():get("log")
  text = redact.text(text)
  if type(setting) == "function" then return call(setting, level, text) end
  if RANK[level] <= (RANK[setting] or RANK.warn) then system.log(level, text) end
end

return M
