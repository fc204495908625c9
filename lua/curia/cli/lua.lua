--- `curia lua FILE [ARG...]`: runs a Lua script with Curia in scope, as a task.
local task = require "curia.task"

local M = {}

local function load_script(path)
  if path == "-" then return load(io.read("a"), "=stdin", "t") end
  return loadfile(path, "t")
end

local function exit_code(ok, value)
  if not ok then
    io.stderr:write("curia: ", tostring(value), "\n", value.traceback or "", "\n")
    return 1
  end
  return math.type(value) == "integer" and value or 0
end

--- The script's integer result is the exit code.
---@param args string[] the script and its arguments
---@return integer exit code
function M.main(args)
  local path = args[1]
  if not path then
    io.stderr:write("usage: curia lua FILE [ARG...]\n")
    return 64
  end
  local script, message = load_script(path)
  if not script then
    io.stderr:write("curia: ", message, "\n")
    return 1
  end
  arg = table.move(args, 1, #args, 0, {})
  return exit_code(task.run(script, table.unpack(args, 2)))
end

return M
