--- Which rows of a store are this deployment's (SPEC 17).
--
-- Stack: own rows and those of none; false: all. Env: equal, and no more. A blank text is none.
local config = require "curia.config"
local json = require "curia.json"

local M = {}

local function known(value)
  if value == "" or value == json.null then return nil end
  return value
end

--- What a new row is stamped with.
---@param value any given: a text, curia.null for none, or nil for what the configuration says
---@param key "stack"|"env"
---@return string?
function M.stamp(value, key)
  if value == nil then value = config.shared():get(key) end
  return known(value)
end

--- The conditions of rows in scope.
---@param opts {source_stack?: any, source_env?: any}
---@return {conditions: string[], values: any[]}
function M.of(opts)
  local scope = { conditions = {}, values = {} }
  local function add(condition, value)
    scope.conditions[#scope.conditions + 1], scope.values[#scope.values + 1] = condition, value
  end
  local stack = opts.source_stack ~= false and M.stamp(opts.source_stack, "stack")
  if stack then add("(source_stack = ? OR source_stack IS NULL)", stack) end
  local env = M.stamp(opts.source_env, "env")
  if env then add("source_env = ?", env) else add "source_env IS NULL" end
  return scope
end

return M
