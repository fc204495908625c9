--- `curia lua FILE [ARG...]`: runs a Lua script with Curia in scope, as a task.
local language = require "curia.language"
local plain = require "curia.cli.plain"
local task = require "curia.task"
local usage = require "curia.cli.usage"

local M = {}

-- Curia, luv and the words of the language stand in front of _G; what the script sets goes to _G as ever.
local function environment()
  local scope = language.install { curia = require "curia", uv = require "luv" }
  return setmetatable(scope, { __index = _G, __newindex = _G })
end

local function load_script(path)
  if path == "-" then return load(plain.text(io.read("a")), "=stdin", "t", environment()) end
  return loadfile(path, "t", environment())
end

local function complain(err)
  local trace = type(err) == "table" and err.traceback
  io.stderr:write("curia: ", tostring(err), "\n", trace and trace .. "\n" or "")
  return 1
end

local STORING_MS = 5000

-- What the script has had recorded is stored before the program ends.
local function perform(script, ...)
  local value = script(...)
  local recorders = package.loaded["curia.recorder"]
  if recorders then
    recorders.drain(STORING_MS)
    require "curia.store.shared".close()
  end
  return value
end

--- The script's integer result is the exit code.
---@param args string[] the script and its arguments
---@return integer exit code
function M.main(args)
  local path = args[1]
  if not path then return usage.misused("the script is missing", "lua") end
  local script, message = load_script(path)
  if not script then return complain(message) end
  arg = table.move(args, 1, #args, 0, {})
  local ok, value = task.run(perform, script, table.unpack(args, 2))
  if not ok then return complain(value) end
  return math.type(value) == "integer" and value or 0
end

return M
