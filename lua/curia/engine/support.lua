--- What the language can say and this version cannot do yet is refused, never ignored.
local errors = require "curia.errors"

local M = {}

local COUNCIL = { "recovery" }
local OPTIONS = {
  "recovery", "stack", "env", "council_version",
}

local function note(found, holder, where, names)
  for _, name in ipairs(names) do
    if holder[name] ~= nil and holder[name] ~= false then found[#found + 1] = where .. name end
  end
end

local function durable(found, holder, where)
  if holder.durability and holder.durability ~= "none" then found[#found + 1] = where .. "durability" end
end

local function of_plan(plan)
  local found = {}
  note(found, plan.spec, "", COUNCIL)
  durable(found, plan.spec, "")
  return found
end

local cache = setmetatable({}, { __mode = "k" })

local function cached(plan)
  cache[plan] = cache[plan] or of_plan(plan)
  return cache[plan]
end

local function of_options(opts)
  local found = {}
  note(found, opts, "option ", OPTIONS)
  durable(found, opts, "option ")
  return found
end

local function refuse(found)
  return errors.new("unsupported", "not part of this version: " .. table.concat(found, ", "),
    { context = { fields = found } })
end

--- An error when the plan or the options ask for what this version cannot do.
---@param plan curia.Plan
---@param opts table
---@return curia.Error?
function M.missing(plan, opts)
  local found = cached(plan)
  if #found > 0 then return refuse(found) end
  if next(opts) == nil then return nil end
  found = of_options(opts)
  if #found > 0 then return refuse(found) end
end

return M
