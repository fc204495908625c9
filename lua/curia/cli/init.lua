--- The command line: finds the command, reads its options, runs it, gives the exit code.
local pattern = require "curia.core.pattern"
local usage = require "curia.cli.usage"
local watchdog = require "curia.core.watchdog"

local M = {}

-- How long a script may hold the loop; generous, as an honest council needs microseconds.
local WATCHDOG_MS = 2000

-- What is asked for in other programs' way.
local ALIASES = { ["--help"] = "help", ["-h"] = "help", ["--version"] = "version", ["-V"] = "version" }

local function show_help(name)
  io.write((require "curia.cli.help".text(name)))
  return 0
end

local function wants_help(arg)
  return arg == "--help" or arg == "-h"
end

local function failed(err)
  io.stderr:write("curia: ", err.message, "\n")
  return 1
end

local function run(command, args)
  if command.raw and wants_help(args[1]) then return show_help(command.name) end
  if command.configured then
    local ok, err = require "curia.cli.settings".load_files()
    if not ok then return failed(err) end
  end
  local module = require("curia.cli." .. command.name)
  if command.raw then return module.main(args) end
  local values, rest = require "curia.cli.options".parse(command.options, args)
  if not values then return usage.misused(rest, command.name) end
  if values.help then return show_help(command.name) end
  if values.config then
    local ok, err = require "curia.cli.settings".set(values.config)
    if not ok then return failed(err) end
  end
  return module.main(values, rest)
end

--- Each command of curia.cli.commands has a module curia.cli.<name>: `main(options, rest) -> exit code`, or
--- `main(args) -> exit code` where the command reads its arguments itself (`raw`).
---@param args string[] with the program's name at 0
---@return integer exit code
function M.main(args)
  local commands = require "curia.cli.commands"
  local name = args[1]
  if not name then
    io.stderr:write((require "curia.cli.help".overview()))
    return usage.CODE
  end
  local command = commands.by_name[ALIASES[name] or name]
  if not command then
    local kind = name:find("^%-") and "option" or "command"
    return usage.misused(require "curia.suggest".message(kind, name, commands.by_name))
  end
  watchdog.start(math.tointeger(tonumber(os.getenv "CURIA_WATCHDOG_MS")) or WATCHDOG_MS)
  pattern.install() -- string.find and its kin cannot be interrupted: they get a bound of their own
  return run(command, { table.unpack(args, 2) }) or 0
end

return M
