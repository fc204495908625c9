--- Wrong usage of the command line: what is said, and the exit code.
local M = {}

--- Exit code of wrong usage (EX_USAGE).
M.CODE = 64

--- Says what was wrong with the arguments.
---@param message string
---@param command? string where to read more
---@return integer exit code
function M.misused(message, command)
  local more = command and ("curia %s --help"):format(command) or "curia --help"
  io.stderr:write(("curia: %s\n(%s tells more)\n"):format(message, more))
  return M.CODE
end

return M
