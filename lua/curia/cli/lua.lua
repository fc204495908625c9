--- `curia lua FILE [ARG...]`: runs a Lua script with Curia in scope, as a task.
local task = require "curia.task"
local usage = require "curia.cli.usage"

local M = {}

local MODULES = { curia = "curia", uv = "luv" }

-- What the script does not find among its own globals: Curia, luv, the words of the language. They are looked
-- up when they are used, so that a script that needs none of them starts at once.
local function in_scope(_, name)
  local value = _G[name]
  if value ~= nil then return value end
  if MODULES[name] then return require(MODULES[name]) end
  return require "curia.language".words[name]
end

local function environment()
  return setmetatable({ _G = _G }, { __index = in_scope, __newindex = _G })
end

local function load_script(path)
  if path == "-" then return load(io.read("a"), "=stdin", "t", environment()) end
  return loadfile(path, "t", environment())
end

local function complain(err)
  local trace = type(err) == "table" and err.traceback
  io.stderr:write("curia: ", tostring(err), "\n", trace and trace .. "\n" or "")
  return 1
end

--- The script's integer result is the exit code.
---@param args string[] the script and its arguments
---@return integer exit code
function M.main(args)
  local path = args[1]
  if not path then return usage.misused("the script is missing", "lua") end
  local script, message = load_script(path)
  if not script then return complain(message) end
  _G.arg = table.move(args, 1, #args, 0, {})
  local ok, value = task.run(script, table.unpack(args, 2))
  if not ok then return complain(value) end
  return math.type(value) == "integer" and value or 0
end

return M
