--- Calls to what users have written: a Lua error in it becomes an error value with its traceback.
local errors = require "curia.errors"
local task = require "curia.task"

local M = {}

-- Error values that users raise on purpose get a traceback too: it tells where.
local function handler(what)
  return function(problem)
    if not errors.is(problem) then
      problem = errors.new("script", ("%s: %s"):format(what, tostring(problem)))
    end
    problem.traceback = problem.traceback or debug.traceback(nil, 2)
    return problem
  end
end

-- What no handler has seen: that memory is out, or an error of the handler itself (a value whose __tostring fails).
local function unhandled(what, value)
  if value == "not enough memory" then
    return errors.new("script", what .. ": not enough memory", { code = "memory_limit" })
  end
  return errors.new("script", what .. ": it failed, and its error cannot be read")
end

local function refuse_if_cancelled()
  local current = task.current()
  if current and current:cancelled() then task.sleep(0) end
end

--- Makes an error value of whatever was raised; for xpcall.
---@param raised any
---@return curia.Error
function M.as_error(raised)
  if errors.is(raised) then return raised end
  return errors.new("script", tostring(raised), { traceback = debug.traceback() })
end

--- Makes an error value of whatever a user's function gave as its error.
---@param what string names the function
---@param value any
---@param kind? string of a new error ("script")
---@return curia.Error
function M.error_of(what, value, kind)
  if errors.is(value) then return value end
  return errors.new(kind or "script", ("%s: %s"):format(what, tostring(value)))
end

--- Calls a user's function. What cancels the task goes on upwards, whatever the function made of it.
---@async
---@param what string names the function in errors
---@param fn function
---@return boolean ok false: it raised
---@return any value its first value, or what it raised, as an error value
---@return any second its second value
function M.try(what, fn, ...)
  local ok, value, second = xpcall(fn, handler(what), ...)
  if ok then return true, value, second end
  refuse_if_cancelled()
  return false, errors.is(value) and value or unhandled(what, value)
end

--- Like try, for functions that return `nil, err` where they fail.
---@async
---@param what string names the function in errors
---@param fn function
---@return any value nil when it failed
---@return curia.Error? err what it raised, or its second value as an error
function M.call(what, fn, ...)
  local ok, value, second = M.try(what, fn, ...)
  if not ok then return nil, value end
  return value, second ~= nil and M.error_of(what, second) or nil
end

return M
