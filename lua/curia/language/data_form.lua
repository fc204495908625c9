--- The data form of a council: plain data without functions, which may come from a stranger.
--
-- It is judged before anything is made of it. Every value is visited once, within the limits below, and copied.
-- Nothing in it can name code, a command, an address, a file or a variable: only what the operator has registered.
local check = require "curia.language.check"
local fields = require "curia.language.fields"
local json = require "curia.json"
local lower = require "curia.language.lower"

local M = {}

--- How large data may be. What is larger is refused with one fault, whatever else it holds.
M.limits = {
  bytes = 512 * 1024, -- of the JSON text, or of all texts in a table
  depth = 64,         -- tables in tables
  values = 20000,     -- texts, numbers, booleans and tables in all
  name = 256,         -- bytes of a key
  members = 100,      -- of one council, and as many rounds
}

-- ---- visiting -------------------------------------------------------------------------------------

---@class curia.DataVisit one passage through a value: copies it, counts it, collects what is no data
---@field path any[] keys from the top to the value at hand
---@field faults curia.Faults
---@field bytes integer
---@field values integer
---@field free integer how many tables around the value may hold whatever they like
---@field stopped? boolean a limit was exceeded
local Visit = {}
Visit.__index = Visit

-- Free data and JSON Schemas: their keys are not the language's.
local FREE = { metadata = 1, schema = 1 }

-- Fields that are lists: an empty table there is written as [].
local LISTS = {}
for _, rules in ipairs { fields.council, fields.member, fields.round } do
  for name, rule in pairs(rules) do LISTS[name] = rule.type:find("list", 1, true) and true or nil end
end

function Visit:refuse(code, message)
  local path = ""
  for _, key in ipairs(self.path) do path = check.join(path, key) end
  self.faults:add(path, code, message)
end

function Visit:stop(message)
  self:refuse("out_of_range", message .. " in the data form")
  self.stopped = true
end

function Visit:stop_values()
  self:stop(("there are at most %d values"):format(M.limits.values))
end

function Visit:step(key, value)
  local depth, free = #self.path + 1, FREE[key] or 0
  self.path[depth], self.free = key, self.free + free
  local copy = self:take(value)
  self.path[depth], self.free = nil, self.free - free
  return copy
end

local function is_reference(value)
  return type(value.module) == "string" and type(value.name) == "string"
end

-- Why a table cannot be taken, if it cannot.
local function table_fault(visit, value)
  local class = check.object_class(value)
  if class then return ("a %s has no data form"):format(class) end
  if visit.free == 0 and is_reference(value) then
    return "{module =, name =} names code: register it, and give the name that it is registered under"
  end
end

-- How many items a table has; beyond the limit nobody counts them, nor sorts their keys.
function Visit:count(value)
  local count = 0
  for _ in pairs(value) do
    count = count + 1
    if self.values + count > M.limits.values then return self:stop_values() end
  end
  return count
end

function Visit:take_list(value)
  local copy = {}
  for i = 1, #value do
    if self.stopped then break end
    copy[i] = self:step(i, value[i])
  end
  return copy
end

function Visit:fits_name(key)
  if type(key) ~= "string" then
    return self:refuse("not_serializable", "a table is either a list without holes, or has names as keys")
  end
  if #key <= M.limits.name then return true end
  self:stop(("a name has at most %d bytes"):format(M.limits.name))
end

function Visit:take_fields(value)
  local copy = {}
  for _, key in ipairs(check.sorted_keys(value)) do
    if self.stopped or not self:fits_name(key) then break end
    if value[key] ~= json.null then copy[key] = self:step(key, value[key]) end
  end
  return copy
end

function Visit:take_items(value)
  local count = self:count(value)
  if not count then return nil end
  if count == 0 then
    local is_list = json.is_array(value) or self.free == 0 and LISTS[self.path[#self.path]]
    return is_list and json.array() or {}
  end
  return count == #value and self:take_list(value) or self:take_fields(value)
end

function Visit:take_table(value)
  if self.free == 0 and check.class(value) == "curia.council" then return self:take_council(value) end
  local fault = table_fault(self, value)
  if fault then return self:refuse("not_serializable", fault) end
  if #self.path >= M.limits.depth then
    return self:stop(("tables stand at most %d deep in tables"):format(M.limits.depth))
  end
  return self:take_items(value)
end

-- A council in a council stands inline; the version is said once, at the top.
function Visit:take_council(council)
  local spec = council:spec()
  spec.schema_version = nil
  return self:take_items(spec)
end

function Visit:take_string(value)
  self.bytes = self.bytes + #value
  if self.bytes > M.limits.bytes then
    return self:stop(("all texts together have at most %d bytes"):format(M.limits.bytes))
  end
  return value
end

function Visit:take_number(value)
  if value - value == 0 then return value end
  self:refuse("not_serializable", "neither NaN nor an infinite number has a data form")
end

local TAKE = {
  string = Visit.take_string, number = Visit.take_number, table = Visit.take_table,
  boolean = function(_, value) return value end,
}

function Visit:take(value)
  if self.stopped then return nil end
  self.values = self.values + 1
  if self.values > M.limits.values then return self:stop_values() end
  if value == json.null then return value end
  local take = TAKE[type(value)]
  if take then return take(self, value) end
  self:refuse("not_serializable", type(value) == "function"
    and "a function has no data form: register it, and give the name that it is registered under"
    or ("a %s has no data form"):format(type(value)))
end

-- ---- judging --------------------------------------------------------------------------------------

-- What a council may hold as a table, and its data form by a registered name only.
local ONLY_BY_NAME = {
  [fields.capabilities.tools.items] = "a tool is code: register it, and give its name",
  [fields.round.type] = "a round of your own is code: register it, and give its name",
  [fields.capabilities.extra] = "extra goes to the provider unread: put it into a profile, and give the profile's name",
}

local judge_record

local function judge_value(rule, value, path, faults)
  if type(value) ~= "table" then return end
  if ONLY_BY_NAME[rule] then
    faults:add(path, "not_serializable", ONLY_BY_NAME[rule])
  elseif rule.items then
    for i, item in ipairs(value) do judge_value(rule.items, item, ("%s[%d]"):format(path, i), faults) end
  elseif rule.fields then
    judge_record(rule.fields, value, path, faults)
  end
end

function judge_record(rules, record, path, faults)
  for _, name in ipairs(check.sorted_keys(record)) do
    local rule = rules[name]
    if rule then judge_value(rule, record[name], check.join(path, name), faults) end
  end
end

local judge_council, judge_round

local function judge_sub_council(member, path, faults)
  local inner = type(member) == "table" and member.council
  if type(inner) == "table" then judge_council(inner, check.join(path, "council"), faults) end
end

local function judge_member(member, path, faults)
  if type(member) ~= "table" then return end
  judge_record(fields.member, member, path, faults)
  judge_sub_council(member, path, faults)
end

-- A round's options may hold a round again.
function judge_round(round, path, faults)
  if type(round) ~= "table" then return end
  judge_record(fields.round, round, path, faults)
  for _, name in ipairs(check.sorted_keys(round)) do
    local inner = round[name]
    local is_round = not FREE[name] and type(inner) == "table" and inner.type ~= nil
    if is_round then judge_round(inner, check.join(path, name), faults) end
  end
end

local function judge_list(list, path, judge_item, faults)
  if type(list) ~= "table" then return end
  if #list > M.limits.members then
    faults:add(path, "out_of_range", ("%d of them; the data form has at most %d"):format(#list, M.limits.members))
  end
  for i = 1, math.min(#list, M.limits.members) do judge_item(list[i], ("%s[%d]"):format(path, i), faults) end
end

-- Answers false when nothing further can be said: another version may mean everything differently.
local function judge_version(data, path, faults)
  local version = data.schema_version
  if version == nil or version == lower.SCHEMA_VERSION then return true end
  local newer = math.type(version) == "integer" and version > lower.SCHEMA_VERSION
  faults:add(check.join(path, "schema_version"), math.type(version) and "out_of_range" or "wrong_type", newer
    and ("schema_version %d is newer than %d, the newest that is known here"):format(version, lower.SCHEMA_VERSION)
    or ("schema_version must be %d"):format(lower.SCHEMA_VERSION))
  return false
end

-- The name becomes part of paths and topics, and here it may be a stranger's.
local NAME = { type = "string", identifier = true }

local function judge_name(name, path, faults)
  if name ~= nil then return check.value(NAME, name, path, "the name of a council", faults) end
  faults:add(path, "missing", "a council in the data form has a name")
end

function judge_council(data, path, faults)
  if not judge_version(data, path, faults) then return end
  judge_name(data.name, check.join(path, "name"), faults)
  judge_record(fields.council, data, path, faults) -- the chair among them
  judge_list(data.members, check.join(path, "members"), judge_member, faults)
  judge_sub_council(data.chair, check.join(path, "chair"), faults)
  judge_list(data.rounds, check.join(path, "rounds"), judge_round, faults)
end

local function admit(value)
  local visit = setmetatable({ path = {}, faults = check.faults(), bytes = 0, values = 0, free = 0 }, Visit)
  local data = visit:take(value)
  if not visit.stopped and type(data) == "table" then judge_council(data, "", visit.faults) end
  return not visit.stopped and data or nil, visit.faults
end

-- ---- JSON -----------------------------------------------------------------------------------------

local function unreadable(code, message)
  local faults = check.faults()
  faults:add("", code, message)
  return nil, faults
end

--- Reads the data form.
---@param source string|table JSON text, or a table; anything else raises
---@return table? data a copy of the caller's own; nil when it is unreadable or beyond a limit
---@return curia.Faults faults none when all is well; with faults, `data` is only there to look for more
function M.read(source)
  if type(source) == "table" then return admit(source) end
  if #source > M.limits.bytes then
    return unreadable("out_of_range", ("%d bytes; the data form has at most %d"):format(#source, M.limits.bytes))
  end
  local value, err = json.decode(source, { max_depth = M.limits.depth + 1 })
  if err then return unreadable("wrong_type", "no JSON: " .. err.message) end
  if type(value) ~= "table" or json.is_array(value) then
    return unreadable("wrong_type", "a council is a JSON object")
  end
  return admit(value)
end

--- Writes a spec as JSON, with its keys sorted.
---@param spec table
---@param opts? curia.json.EncodeOptions
---@return string? text nil when something in it has no data form
---@return curia.Faults faults every such thing
function M.write(spec, opts)
  local data, faults = admit(spec)
  if #faults > 0 then return nil, faults end
  return assert(json.encode(data, opts)), faults
end

return M
