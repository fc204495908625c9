--- The keywords of arrays and objects.
local scalars = require "curia.schema.scalars"
local suggest = require "curia.suggest"
local values = require "curia.schema.values"

local M = { array = {}, object = {} }

local function quoted(name)
  return values.show(name)
end

-- ---- arrays -----------------------------------------------------------------------------------------

local function items(count)
  return ("%s %s"):format(values.show(count), count == 1 and "item" or "items")
end

function M.array.minItems(e, least, list)
  if #list < least then e:fault("minItems", ("must have at least %s, and has %d"):format(items(least), #list)) end
end

function M.array.maxItems(e, most, list)
  if #list > most then e:fault("maxItems", ("must have at most %s, and has %d"):format(items(most), #list)) end
end

function M.array.prefixItems(e, schemas, list)
  for i = 1, math.min(#schemas, #list) do e:inside(i - 1, schemas[i], list[i]) end
end

local NONE = {}

-- The value of a neighbouring keyword, if it can be read.
local function table_of(whole, keyword)
  local value = whole[keyword]
  return type(value) == "table" and value or NONE
end

function M.array.items(e, schema, list, whole)
  for i = #table_of(whole, "prefixItems") + 1, #list do
    if e.exhausted then return end
    e:inside(i - 1, schema, list[i])
  end
end

function M.array.uniqueItems(e, wanted, list)
  if not wanted then return end
  local seen = {}
  for i, item in ipairs(list) do
    local key = values.key(item)
    if not key then return e:fault("uniqueItems", ("has an item %d that is no JSON value"):format(i)) end
    if not e:spend(1 + #key // 32) then return end
    if seen[key] then
      return e:fault("uniqueItems", ("must have different items, and items %d and %d are equal"):format(seen[key], i))
    end
    seen[key] = i
  end
end

function M.array.contains(e, schema, list, whole)
  local found, least, most = 0, tonumber(whole.minContains) or 1, tonumber(whole.maxContains) or math.huge
  for _, item in ipairs(list) do
    if e:holds(schema, item) then found = found + 1 end
  end
  if found < least then
    e:fault("contains", ("must contain at least %s of its kind, and has %d"):format(items(least), found))
  elseif found > most then
    e:fault("maxContains", ("must contain at most %s of its kind, and has %d"):format(items(most), found))
  end
end

-- ---- objects ----------------------------------------------------------------------------------------

-- Members have names; what else a Lua table may hold is none.
local function sorted_names(object)
  local names = {}
  for name in pairs(object) do
    if type(name) == "string" then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

local function check_required(e, keyword, names, object)
  for _, name in ipairs(type(names) == "table" and names or NONE) do
    if object[name] == nil then e:fault(keyword, ("misses the member %s"):format(quoted(name))) end
  end
end

function M.object.required(e, names, object)
  check_required(e, "required", names, object)
end

function M.object.dependentRequired(e, map, object)
  for _, name in ipairs(sorted_names(map)) do
    if object[name] ~= nil then check_required(e, "dependentRequired", map[name], object) end
  end
end

function M.object.dependentSchemas(e, map, object)
  for _, name in ipairs(sorted_names(map)) do
    if object[name] ~= nil then e:evaluate(map[name], object) end
  end
end

local function count_of(object)
  local count = 0
  for _ in pairs(object) do count = count + 1 end
  return count
end

function M.object.minProperties(e, least, object)
  local count = count_of(object)
  if count < least then
    e:fault("minProperties", ("must have at least %s members, and has %d"):format(values.show(least), count))
  end
end

function M.object.maxProperties(e, most, object)
  local count = count_of(object)
  if count > most then
    e:fault("maxProperties", ("must have at most %s members, and has %d"):format(values.show(most), count))
  end
end

function M.object.properties(e, schemas, object)
  for _, name in ipairs(sorted_names(object)) do
    if schemas[name] ~= nil then e:inside(name, schemas[name], object[name]) end
  end
end

function M.object.patternProperties(e, schemas, object)
  local names = sorted_names(object)
  for _, pattern in ipairs(sorted_names(schemas)) do
    for _, name in ipairs(names) do
      if e.exhausted then return end
      if scalars.matches(e, "patternProperties", pattern, name) then
        e:inside(name, schemas[pattern], object[name])
      end
    end
  end
end

local function is_told(e, whole, name)
  if table_of(whole, "properties")[name] ~= nil then return true end
  for _, pattern in ipairs(sorted_names(table_of(whole, "patternProperties"))) do
    if scalars.matches(e, "patternProperties", pattern, name) then return true end
  end
  return false
end

local function check_additional(e, schema, object, whole, name)
  if schema ~= false then return e:inside(name, schema, object[name]) end
  e:fault("additionalProperties", ("must not have the member %s%s"):format(quoted(name),
    suggest.hint(name, table_of(whole, "properties"))))
end

function M.object.additionalProperties(e, schema, object, whole)
  for _, name in ipairs(sorted_names(object)) do
    if e.exhausted then return end
    if not is_told(e, whole, name) then check_additional(e, schema, object, whole, name) end
  end
end

function M.object.propertyNames(e, schema, object)
  for _, name in ipairs(sorted_names(object)) do
    if e.exhausted then return end
    if not e:holds(schema, name) then
      e:fault("propertyNames", ("has a member whose name is not allowed: %s"):format(quoted(name)))
    end
  end
end

return M
