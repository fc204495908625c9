--- Checks tables against the rules of `curia.language.fields` and collects every fault.
local duration = require "curia.duration"
local errors = require "curia.errors"
local json = require "curia.json"
local suggest = require "curia.suggest"

local M = {}

---@class curia.Fault
---@field path string where, such as `members[2].temperature`
---@field code string one of the codes of SPEC 2
---@field message string

---@class curia.Faults: curia.Fault[]
local Faults = {}
Faults.__index = Faults

--- A list that faults are added to.
---@param refer? fun(rule: table, name: string, path: string, what: string, faults: curia.Faults) judges texts
--- that refer to something registered; without it they are not judged
---@return curia.Faults
function M.faults(refer)
  return setmetatable({ refer = refer }, Faults)
end

--- Adds one fault.
function Faults:add(path, code, message)
  self[#self + 1] = { path = path, code = code, message = message }
end

-- Looking for what was meant takes time: whoever writes more nonsense than this gets no more hints.
local MOST_HINTS = 100

--- The end of a message, as of `suggest.hint`.
---@param name any
---@param candidates table|fun(): table
---@return string
function Faults:hint(name, candidates)
  if #self >= MOST_HINTS then return "" end
  return suggest.hint(name, type(candidates) == "function" and candidates() or candidates)
end

--- The error of a council with faults.
---@param name string the council's
---@param faults curia.Fault[] at least one
---@return curia.Error err kind `invalid_council`, the faults in `context.faults`
function M.error(name, faults)
  local first = faults[1]
  local more = #faults > 1 and (" (and %d more)"):format(#faults - 1) or ""
  local place = first.path == "" and "" or first.path .. ": "
  return errors.new("invalid_council", ("council '%s': %s%s%s"):format(name, place, first.message, more),
    { code = first.code, context = { faults = faults } })
end

--- The list as plain data, or nil when there are no faults.
function Faults:take()
  self.refer = nil
  return #self > 0 and setmetatable(self, nil) or nil
end

--- The class of an object of ours ("curia.council", ...), or nil for plain values.
---@param value any
---@return string?
function M.class(value)
  local meta = type(value) == "table" and getmetatable(value)
  return type(meta) == "table" and meta.__name or nil
end

local JSON_MARKS = { ["json.array"] = true, ["json.object"] = true }

--- The same, but nil for tables that are marked for JSON: they are plain.
---@param value any
---@return string?
function M.object_class(value)
  local class = M.class(value)
  return not JSON_MARKS[class] and class or nil
end

local function is_list(value)
  if type(value) ~= "table" then return false end
  local count = 0
  for _ in pairs(value) do count = count + 1 end
  return count == #value
end

local function is_map(value)
  if type(value) ~= "table" then return false end
  for key in pairs(value) do
    if type(key) ~= "string" then return false end
  end
  return true
end

local IS = {
  string = function(value) return type(value) == "string" end,
  number = function(value) return type(value) == "number" end,
  integer = function(value) return math.tointeger(type(value) == "number" and value or nil) ~= nil end,
  boolean = function(value) return type(value) == "boolean" end,
  ["function"] = function(value) return type(value) == "function" end,
  table = function(value) return type(value) == "table" end,
  record = function(value) return type(value) == "table" and M.class(value) ~= "curia.secret" end,
  list = is_list,
  map = is_map,
  duration = function(value) return type(value) == "number" or type(value) == "string" end,
  council = function(value) return M.class(value) == "curia.council" end,
  group = function(value) return M.class(value) == "curia.run_group" end,
  secret = function(value) return M.class(value) == "curia.secret" end,
  capture = function(value) return M.class(value) == "curia.testing.capture" end,
  any = function() return true end,
}

local READABLE = {
  string = "a text", number = "a number", integer = "a whole number", boolean = "true or false",
  ["function"] = "a function", table = "a table", record = "a table", list = "a list",
  map = "a table with names as keys", duration = "a duration", council = "a council",
  group = "a group", capture = "a capture of curia.testing",
  secret = 'env "NAME", cmd "..." or file "..."',
}

--- The types that a rule accepts, in its order.
---@param rule table
---@return string[]
function M.types(rule)
  if not rule.types then
    rule.types = {}
    for name in rule.type:gmatch("%a+") do rule.types[#rule.types + 1] = name end
  end
  return rule.types
end

--- The first of the rule's types that the value has.
---@param rule table
---@param value any
---@return string?
function M.match(rule, value)
  for _, name in ipairs(M.types(rule)) do
    if IS[name](value) then return name end
  end
end

local function expectation(rule)
  local words = {}
  for i, name in ipairs(M.types(rule)) do words[i] = READABLE[name] end
  return table.concat(words, " or ")
end

local function given(value)
  if math.type(value) == "float" then return ("%.14g"):format(value) end
  return type(value) == "table" and (M.class(value) or "a table") or "a " .. type(value)
end

local function check_number(rule, value, path, what, faults)
  local low, high = rule.min or -math.huge, rule.max or math.huge
  if value >= low and value <= high and value - value == 0 then return end
  local range = rule.min and rule.max and ("between %s and %s"):format(rule.min, rule.max)
    or rule.min and "at least " .. rule.min or "a finite number"
  faults:add(path, "out_of_range", ("%s must be %s"):format(what, range))
end

local function check_enum(rule, value, path, what, faults)
  for _, allowed in ipairs(rule.enum) do
    if value == allowed then return end
  end
  faults:add(path, "out_of_range", ("%s must be one of %s, not '%s'%s"):format(what,
    table.concat(rule.enum, ", "), value, faults:hint(value, rule.enum)))
end

-- Identifiers become parts of paths, topics and URLs.
local function check_identifier(value, path, what, faults)
  if #value > 128 or value:find("[/%c]") or not value:find("%S") then
    faults:add(path, "out_of_range", ("%s must have 1 to 128 bytes, none of them '/' or a control character")
      :format(what))
  end
end

-- The strictest of the vendors' rules for the names of tools.
local function check_word(value, path, what, faults)
  if #value <= 64 and value:find("^[%w_-]+$") then return end
  faults:add(path, "out_of_range", ("%s must have 1 to 64 letters, digits, '_' or '-', not '%s'"):format(what, value))
end

local function check_form(rule, value, path, what, faults)
  local fault = rule.form(value)
  if fault then faults:add(path, "out_of_range", ("%s %s"):format(what, fault)) end
end

local function check_string(rule, value, path, what, faults)
  if rule.word then return check_word(value, path, what, faults) end
  if rule.identifier then return check_identifier(value, path, what, faults) end
  if rule.enum then return check_enum(rule, value, path, what, faults) end
  if rule.nonempty and value == "" then return faults:add(path, "empty", what .. " is empty") end
  if rule.form then return check_form(rule, value, path, what, faults) end
  if rule.ref and faults.refer then faults.refer(rule, value, path, what, faults) end
end

local function check_list(rule, value, path, what, faults)
  if rule.nonempty and #value == 0 then faults:add(path, "empty", what .. " is empty") end
  for i, item in ipairs(rule.items and value or {}) do
    M.value(rule.items, item, ("%s[%d]"):format(path, i), ("item %d of %s"):format(i, what), faults)
  end
end

local function check_map(rule, value, path, what, faults)
  for _, key in ipairs(M.sorted_keys(value)) do
    M.value(rule.values, value[key], M.join(path, key), ("'%s' in %s"):format(key, what), faults)
  end
end

local function check_duration(_, value, path, what, faults)
  local ms, message = duration.parse(value)
  if ms then return end
  faults:add(path, message == duration.EXPECTED and "wrong_type" or "out_of_range", ("%s: %s"):format(what, message))
end

--- Checks a table that has a language of its own, such as a schema; its paths stand behind a "#".
---@param rule table
---@param value table
---@param path string
---@param what string
---@param faults curia.Faults
function M.judged(rule, value, path, what, faults)
  local good, found = true, nil
  if rule.judge then good, found = rule.judge(value) end
  for _, fault in ipairs(not good and found or {}) do
    local place = fault.path == "" and path or path .. "#" .. fault.path
    faults:add(place, fault.code, ("%s: %s"):format(what, fault.message))
  end
end

local DEEPEST = 64

local PLAIN = { string = true, boolean = true, table = true }

local function plain_fault(value, depth)
  if depth > DEEPEST then return "contains itself, or stands too deep" end
  if type(value) == "number" then return value - value ~= 0 and "is no finite number" or nil end
  local class = M.object_class(value)
  if not class and (PLAIN[type(value)] or value == json.null) then return nil end
  return ("is a %s, which has no data form"):format(class or type(value))
end

-- Free data comes back with results and stands in records: all of it must have a data form.
local function check_plain(value, path, what, faults, depth)
  local fault = plain_fault(value, depth)
  if fault then return faults:add(path, "not_serializable", ("%s %s"):format(what, fault)) end
  if type(value) ~= "table" then return end
  for _, key in ipairs(M.sorted_keys(value)) do
    local before = #faults
    check_plain(value[key], M.join(path, key), what, faults, depth + 1)
    if depth == DEEPEST and #faults > before then return end -- one fault tells of a circle
  end
end

local CHECK = {
  any = function(rule, value, path, what, faults)
    if rule.plain then check_plain(value, path, what, faults, 1) end
  end,
  table = M.judged, string = check_string, number = check_number, integer = check_number, list = check_list,
  map = check_map, duration = check_duration,
  record = function(rule, value, path, what, faults)
    M.record(rule.fields, value, path, what, faults)
  end,
}

--- Checks one value.
---@param rule table
---@param value any
---@param path string
---@param what string how messages call the value
---@param faults curia.Faults
function M.value(rule, value, path, what, faults)
  local kind = M.match(rule, value)
  if not kind then
    faults:add(path, "wrong_type", ("%s must be %s, not %s"):format(what, expectation(rule), given(value)))
  elseif CHECK[kind] then
    CHECK[kind](rule, value, path, what, faults)
  end
end

--- Joins a path and a field's name; names that are no identifiers are quoted.
---@param path string
---@param name any
---@return string
function M.join(path, name)
  if type(name) ~= "string" then return ("%s[%s]"):format(path, tostring(name)) end
  if not name:find("^[%a_][%w_]*$") then return ("%s[%q]"):format(path, name) end
  return path == "" and name or path .. "." .. name
end

local function key_before(a, b)
  if type(a) == type(b) and (type(a) == "string" or type(a) == "number") then return a < b end
  return tostring(a) < tostring(b)
end

--- The keys of a table in a stable order.
---@param t table
---@return any[]
function M.sorted_keys(t)
  local keys, only_texts = {}, true
  for key in pairs(t) do
    keys[#keys + 1] = key
    only_texts = only_texts and type(key) == "string"
  end
  table.sort(keys, not only_texts and key_before or nil) -- several times as fast without a function
  return keys
end

-- Lowering turns `timeout` into `timeout_ms`; one that is left is faulty or said twice.
local function check_alias(rule, record, name, path, what, faults)
  if record[rule.alias] ~= nil then
    faults:add(path, "conflict", ("%s has both %s and %s"):format(what, name, rule.alias))
  end
  M.value(rule, record[name], path, ("%s of %s"):format(name, what), faults)
end

local function check_known(rule, record, name, path, what, faults)
  if rule.alias then return check_alias(rule, record, name, path, what, faults) end
  M.value(rule, record[name], path, what == "" and name or ("%s of %s"):format(name, what), faults)
end

local function unknown(fields, name, path, what, faults)
  faults:add(path, "unknown_field", ("unknown field '%s'%s%s"):format(tostring(name),
    what == "" and "" or " of " .. what, faults:hint(name, fields)))
end

local required = setmetatable({}, { __mode = "k" })

local function find_required(fields)
  local names = {}
  for _, name in ipairs(M.sorted_keys(fields)) do
    if fields[name].required then names[#names + 1] = name end
  end
  return names
end

local function required_fields(fields)
  required[fields] = required[fields] or find_required(fields)
  return required[fields]
end

--- Checks a record: unknown fields, then types and ranges, then what is missing.
---@param fields table<string, table> the rules
---@param record table
---@param path string path of the record ("" at the top)
---@param what string how messages call the record ("" at the top)
---@param faults curia.Faults
function M.record(fields, record, path, what, faults)
  for _, name in ipairs(M.sorted_keys(record)) do
    local rule = fields[name]
    if rule then check_known(rule, record, name, path == "" and name or path .. "." .. name, what, faults)
    else unknown(fields, name, M.join(path, name), what, faults) end
  end
  for _, name in ipairs(required_fields(fields)) do
    if record[name] == nil then
      faults:add(M.join(path, name), "missing", ("%s has no %s"):format(what, name))
    end
  end
end

return M
