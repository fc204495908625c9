--- `curia test [FILES] [BUSTED OPTIONS]`: busted inside this program, on Lua 5.4.
local M = {}

-- busted ends with os.exit; here the program ends itself, so that the runtime is closed in order and whatever
-- is left open is found.
local function exit_code_of(fn)
  local exit, code = os.exit, nil
  local stop = setmetatable({}, { __tostring = function() return "end of the tests" end })
  os.exit = function(value)
    code = value == true and 0 or value == false and 1 or value or 0
    error(stop, 0)
  end
  local ok, err = xpcall(fn, function(e) return e == stop and e or debug.traceback(e) end)
  os.exit = exit
  if not ok and err ~= stop then error(err, 0) end
  return code or 0
end

local function find_runner()
  local found, runner = pcall(require, "busted.runner")
  if found then return runner end
  if tostring(runner):find("module 'busted.runner' not found", 1, true) then
    return nil, "busted is not installed (Debian: apt-get install lua-busted)"
  end
  error(runner, 0)
end

--- Defaults stand in .busted: all of spec/, with spec/helper.lua.
---@param args string[]
---@return integer exit code
function M.main(args)
  if args[1] == "--" then args = { table.unpack(args, 2) } end
  _G.arg = table.move(args, 1, #args, 1, { [0] = "curia test" })
  local runner, message = find_runner()
  if not runner then
    io.stderr:write("curia: ", message, "\n")
    return 1
  end
  return exit_code_of(function() runner { standalone = false } end)
end

return M
