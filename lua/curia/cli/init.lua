--- The command line: finds the command, runs it, gives the exit code.
local watchdog = require "curia.core.watchdog"

local M = {}

-- How long a script may hold the loop; generous, as an honest council needs microseconds.
local WATCHDOG_MS = 2000

local function usage()
  io.stderr:write("usage: curia COMMAND ...\n")
  return 64
end

--- Commands stand in curia.cli.<name>; each module has `main(args) -> exit code`.
---@param args string[] with the program's name at 0
---@return integer exit code
function M.main(args)
  local name = args[1]
  if not name then return usage() end
  local ok, command = pcall(require, "curia.cli." .. name:gsub("%-", "_"))
  if not ok then
    io.stderr:write(tostring(command), "\n")
    return 64
  end
  watchdog.start(math.tointeger(tonumber(os.getenv "CURIA_WATCHDOG_MS")) or WATCHDOG_MS)
  return command.main({ table.unpack(args, 2) }) or 0
end

return M
