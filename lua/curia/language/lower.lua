--- Lowering: what was declared becomes a spec, plain data in which functions may stand.
-- Nothing is judged here. What cannot be lowered stays as it is, so that validation finds it and names it.
local check = require "curia.language.check"
local duration = require "curia.duration"
local fields = require "curia.language.fields"

local M = {}

--- The version of the spec's form.
M.SCHEMA_VERSION = 1

local copy_table

-- Objects (councils, secrets) are shared; plain and marked tables (JSON arrays) are copied.
local function copy(value, seen)
  if type(value) ~= "table" then return value end
  if check.object_class(value) then return value end
  return seen[value] or copy_table(value, getmetatable(value), seen)
end

function copy_table(value, meta, seen)
  local made = {}
  seen[value] = made
  for key, item in pairs(value) do made[key] = copy(item, seen) end
  return setmetatable(made, meta)
end

--- Copies plain data, cycles included; objects with a named metatable are shared.
---@generic T
---@param value T
---@return T
function M.copy(value)
  return copy(value, {})
end

local lower_value

local function lower_list(rule, value)
  local made = {}
  for i, item in ipairs(value) do made[i] = lower_value(rule.items, item) end
  return made
end

local function lower_map(rule, value)
  local made = {}
  for key, item in pairs(value) do made[key] = lower_value(rule.values, item) end
  return made
end

local LOWER = {
  -- An integral float (8192/2) is sent as an integer.
  integer = function(_, value) return math.tointeger(value) end,
  duration = function(_, value) return duration.parse(value) or value end,
  list = function(rule, value) return rule.items and lower_list(rule, value) or M.copy(value) end,
  map = function(rule, value) return lower_map(rule, value) end,
  record = function(rule, value) return M.record(rule.fields, value) end,
}

function lower_value(rule, value)
  local kind = check.match(rule, value)
  if kind and LOWER[kind] then return LOWER[kind](rule, value) end
  return M.copy(value)
end

local function lower_alias(rule, record, name, made)
  local value = record[name]
  if rule.type == "duration" then value = duration.parse(value) else value = lower_value(rule, value) end
  if value and record[rule.alias] == nil then made[rule.alias] = value
  else made[name] = record[name] end
end

--- Lowers a record: durations to milliseconds, `timeout` to `timeout_ms`, whole floats to integers.
---@param rules table<string, table>
---@param record table
---@return table
function M.record(rules, record)
  local made = {}
  for name, value in pairs(record) do
    local rule = rules[name]
    if rule and rule.alias then lower_alias(rule, record, name, made)
    elseif rule then made[name] = lower_value(rule, value)
    else made[name] = M.copy(value) end
  end
  return made
end

-- One text is a list of one.
local function listed(record, name)
  if type(record[name]) == "string" then record[name] = { record[name] } end
end

local function lower_fallback(member)
  listed(member, "fallback")
  if not check.match({ type = "list" }, member.fallback) then return end
  for i, entry in ipairs(member.fallback) do
    if type(entry) == "string" then member.fallback[i] = { model = entry } end
  end
end

--- Lowers a member, a chair or a profile.
---@param rules table<string, table>
---@param member table
---@return table
function M.member(rules, member)
  local made = M.record(rules, member)
  listed(made, "stop")
  lower_fallback(made)
  return made
end

---@class curia.Declaration what a word of the language makes of its arguments
---@field kind "member"|"round"|"chair"
---@field key any the member's id, the round's type
---@field body? table
M.Declaration = { __name = "curia.declaration" }

local function is_declaration(value, kind)
  return getmetatable(value) == M.Declaration and (not kind or value.kind == kind)
end

--- True for a round written as a table of functions.
---@param value any
---@return boolean
function M.is_round_table(value)
  return type(value) == "table" and (type(value.build) == "function" or type(value.run) == "function")
end

-- The fields of a declaration, with its key under the name that the spec has for it.
local function unfold(declaration, key_field)
  local record = {}
  for name, value in pairs(declaration.body or {}) do record[name] = value end
  record[key_field] = record[key_field] or declaration.key
  return record
end

local function name_twice(declaration, key_field, path, faults)
  local said = declaration.body and declaration.body[key_field]
  if said ~= nil and declaration.key ~= nil and said ~= declaration.key then
    faults:add(check.join(path, key_field), "conflict", ("%s '%s' also says %s = %s"):format(declaration.kind,
      tostring(declaration.key), key_field, tostring(said)))
  end
end

local KEY_FIELD = { member = "id", chair = "id", round = "type" }

-- A declaration or a plain table as a record; nil (and a fault) for anything else.
local function record_of(item, kind, path, faults)
  if is_declaration(item, kind) then
    name_twice(item, KEY_FIELD[kind], path, faults)
    return unfold(item, KEY_FIELD[kind])
  end
  if type(item) == "table" and not check.class(item) then return item end
  local got = is_declaration(item) and "a " .. item.kind or "a " .. type(item)
  faults:add(path, "wrong_type", ("expected a %s here, not %s"):format(kind, got))
end

local function lower_member(item, path, faults)
  local record = record_of(item, "member", path, faults)
  return record and M.member(fields.member, record)
end

--- A round that is given as its type alone, as a record.
---@param item any
---@return any
function M.round_record(item)
  if type(item) == "string" or M.is_round_table(item) then return { type = item } end
  return item
end

-- Rounds that stand among a round's options, such as the one that `iterate` wraps.
local function unfold_options(made)
  for name, value in pairs(made) do
    if is_declaration(value, "round") then made[name] = unfold_options(unfold(value, "type")) end
  end
  return made
end

--- Lowers a round's record.
---@param rules table<string, table>
---@param record table
---@return table
function M.round(rules, record)
  return unfold_options(M.record(rules, record))
end

-- A round of the user's own is a table of functions and is kept as it is, not copied.
local function lower_round(item, path, faults)
  local record = record_of(M.round_record(item), "round", path, faults)
  if not record then return nil end
  local made = M.round(fields.round, record)
  made.type = record.type
  return made
end

-- The whole numbers among a table's keys, in order.
local function positions(body)
  local found = {}
  for key in pairs(body) do
    if math.type(key) == "integer" then found[#found + 1] = key end
  end
  table.sort(found)
  return found
end

-- The items of a list. Items that a condition left out (`debug and member ...`) are nil or false, and no fault.
local function present_items(list)
  local items = {}
  for _, position in ipairs(positions(list)) do
    if list[position] then items[#items + 1] = list[position] end
  end
  return items
end

local function has_names(list)
  for key in pairs(list) do
    if math.type(key) ~= "integer" then return true end
  end
  return false
end

local function sort_positional(body, faults)
  local sorted = { member = {}, round = {}, chair = {} }
  for _, position in ipairs(positions(body)) do
    local item = body[position]
    if is_declaration(item) then
      table.insert(sorted[item.kind], item)
    elseif item ~= false then
      faults:add(("[%d]"):format(position), "wrong_type",
        ("expected a member, a round or a chair at position %d, not a %s"):format(position, type(item)))
    end
  end
  return sorted
end

local function items_of(body, name, positional, faults)
  local list = body[name]
  if list == nil then return positional end
  if type(list) ~= "table" or has_names(list) then
    faults:add(name, "wrong_type", ("%s must be a list, not %s"):format(name, type(list) == "table"
      and "a table with names as keys" or "a " .. type(list)))
    return positional
  end
  if #positional > 0 then
    faults:add(name, "conflict", ("%s stand both by position and in the list '%s'"):format(name, name))
  end
  return present_items(list)
end

local function lower_items(body, name, positional, lower_item, faults)
  local made = {}
  for i, item in ipairs(items_of(body, name, positional, faults)) do
    made[i] = lower_item(item, ("%s[%d]"):format(name, i), faults) or false
  end
  return made
end

local function lower_chair_item(item, path, faults)
  local record = record_of(item, "chair", path, faults)
  if not record then return nil end
  local made = M.member(fields.chair, record)
  made.id = made.id or "chair"
  return made
end

--- Lowers one declaration, or table, on its own: `items[kind](item, path, faults)` gives its record, or nil.
---@type table<"member"|"round"|"chair", fun(item: any, path: string, faults: curia.Faults): table?>
M.items = { member = lower_member, round = lower_round, chair = lower_chair_item }

local function lower_chair(body, positional, faults)
  local chairs = { table.unpack(positional) }
  if body.chair ~= nil then chairs[#chairs + 1] = body.chair end
  if #chairs > 1 then faults:add("chair", "conflict", "a council has one chair") end
  if #chairs == 0 then return nil end
  return lower_chair_item(chairs[1], "chair", faults)
end

local STRUCTURE = { members = true, rounds = true, chair = true, name = true, schema_version = true }

-- A name inside the braces would silently lose against the one before them.
local function check_name(name, body, faults)
  if body.name ~= nil and body.name ~= name then
    faults:add("name", "conflict", ("council '%s' also says name = %s"):format(name, tostring(body.name)))
  end
end

local function plain_fields(body)
  local record = {}
  for name, value in pairs(body) do
    if math.type(name) ~= "integer" and not STRUCTURE[name] then record[name] = value end
  end
  return record
end

--- Lowers the body of a council. An item that is no member (no round) stands as `false` in the spec.
---@param name string
---@param body table members, rounds and a chair by position or in lists, and the other fields by name
---@return table spec
---@return curia.Faults faults of the form alone; the fields are judged by `validate`
function M.council(name, body)
  local faults = check.faults()
  check_name(name, body, faults)
  local sorted = sort_positional(body, faults)
  local spec = M.record(fields.council, plain_fields(body))
  spec.schema_version, spec.name = M.SCHEMA_VERSION, name
  spec.members = lower_items(body, "members", sorted.member, lower_member, faults)
  spec.rounds = lower_items(body, "rounds", sorted.round, lower_round, faults)
  spec.chair = lower_chair(body, sorted.chair, faults)
  return spec, faults
end

return M
