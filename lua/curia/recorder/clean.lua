--- What a recorder is given to keep: without secrets, and as the user's hook wants it (`at_rest.redact`).
local json = require "curia.json"
local redact = require "curia.redact"

local M = {}

local function encoded(value)
  local bytes, err = json.encode(value)
  if not bytes then error(err, 0) end
  return bytes
end

--- A value for storing: itself when there is nothing to take out of it, else a copy.
---@param value any a JSON value, else it raises
---@param hook? fun(value: any, what: string): any is given a copy; what it raises is raised
---@param what string "event", "input", "options", "result" or "error"
---@return any
function M.of(value, hook, what)
  local bytes = encoded(value)
  local secret = redact.lasting(bytes) ~= bytes
  if not (secret or hook) then return value end
  local copy = json.decode(bytes)
  if secret then copy = redact.deep(copy, redact.lasting) end
  return hook and hook(copy, what) or copy
end

return M
