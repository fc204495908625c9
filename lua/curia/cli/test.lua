--- `curia test [BUSTED OPTIONS] [FILES]`: busted inside this program, on Lua 5.4.
local M = {}

-- busted ends with os.exit; here the program ends itself, so that the runtime is closed in order
-- and whatever is left open is found.
local function with_catched_exit(fn)
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

---@param args string[]
---@return integer exit code
function M.main(args)
  _G.arg = table.move(args, 1, #args, 1, { [0] = "curia test" })
  return with_catched_exit(function() require "busted.runner" { standalone = false } end)
end

return M
