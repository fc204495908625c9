--- Variables of the environment: those of the configuration's keys, and a few of the program's own.
local check = require "curia.language.check"
local fields = require "curia.language.fields"
local suggest = require "curia.suggest"

local M = {}

local PREFIX = "CURIA_"

--- Those that are no key's, and what they are for.
M.OWN = {
  CURIA_WATCHDOG_MS = "how long a script may hold the loop before it is stopped (2000)",
  CURIA_LUA = "the folder that Curia's own Lua is read from, in place of what is compiled in",
  CURIA_PLAIN_MALLOC = "Lua's memory comes from malloc",
  CURIA_GC_STRESS = "the specs' collector works at each allocation",
}

local OF_SPECS = "^CURIA_SPEC_"

local function as_boolean(text)
  if text == "true" or text == "1" then return true end
  if text == "false" or text == "0" then return false end
  return text
end

local function as_number(text)
  return tonumber(text) or text
end

local FROM_TEXT = {
  integer = as_number, number = as_number, duration = as_number, boolean = as_boolean,
  string = function(text) return text end,
}

-- Only keys that one text can express have a variable.
local function conversion(key)
  local rule = fields.config[key]
  return rule and FROM_TEXT[check.types(rule)[1]]
end

--- The variable of a key.
---@param key string
---@return string
function M.name(key)
  return PREFIX .. key:upper()
end

--- What the environment says of the configuration.
---@param getenv fun(name: string): string?
---@return table<string, any> values by key, not checked
function M.values(getenv)
  local values = {}
  for key in pairs(fields.config) do
    local text, convert = getenv(M.name(key)), conversion(key)
    if text and text ~= "" and convert then values[key] = convert(text) end
  end
  return values
end

local function known_names()
  local names = {}
  for key in pairs(fields.config) do
    if conversion(key) then names[M.name(key)] = true end
  end
  for name in pairs(M.OWN) do names[name] = true end
  return names
end

-- The prefix says nothing of how near two names are.
local function nearest(name, names)
  local rests = {}
  for known in pairs(names) do rests[known:sub(#PREFIX + 1)] = true end
  local found = suggest.nearest(name:sub(#PREFIX + 1), rests)
  return found and PREFIX .. found
end

---@class curia.language.Variable
---@field name string
---@field about string what it is for, or what is wrong with it
---@field is_slip? boolean it is most likely meant for Curia, and not read

local function described(name, names)
  local key = name:sub(#PREFIX + 1):lower()
  if M.OWN[name] then return { name = name, about = M.OWN[name] } end
  if names[name] then return { name = name, about = "the key " .. key } end
  if fields.config[key] then
    local about = ("is not read: the key %s takes more than one text can say, and stands in a file"):format(key)
    return { name = name, about = about, is_slip = true }
  end
  local meant = nearest(name, names)
  return { name = name, is_slip = meant ~= nil,
    about = "is none of Curia's" .. (meant and ("; did you mean %s?"):format(meant) or "") }
end

--- The variables that are set and look like Curia's, by name. Others may have named theirs so: only what is near to one
--- of Curia's is taken for a slip.
---@param environment table<string, string>
---@return curia.language.Variable[]
function M.set(environment)
  local found, names = {}, known_names()
  for name in pairs(environment) do
    if name:find("^" .. PREFIX) and not name:find(OF_SPECS) then found[#found + 1] = described(name, names) end
  end
  table.sort(found, function(a, b) return a.name < b.name end)
  return found
end

return M
