--- What an effect's outcome depends on: as it is stored, its hash, and what differs between two of them.
local errors = require "curia.errors"
local json = require "curia.json"
local system = require "curia.core.system"
local values = require "curia.store.values"

local M = {}

-- A run that is resumed has its input without secrets: the hash is of what it will ask then.
local function without_secrets(encoded)
  local clean, found = values.mask(encoded)
  if not found then return clean end
  return values.encode(values.content(clean))
end

--- An input as it is stored, and its hash. Equal inputs have equal hashes.
---@param input any a JSON value
---@return curia.store.Encoded
---@return string hash
function M.encode(input)
  local encoded, err = values.encode(input == nil and json.null or input)
  if not encoded then error(errors.wrap(err), 0) end
  local clean = without_secrets(encoded)
  return clean, system.sha256(clean.bytes) -- long texts stand in it by their own hashes
end

-- ---- differences ----------------------------------------------------------------------------------

local SHOWN = 80

local function shown(value)
  if value == nil then return "nothing" end
  local text = type(value) == "string" and value or assert(json.encode(value))
  if #text <= SHOWN then return text end
  return ("%s... (%d bytes)"):format(text:sub(1, SHOWN):gsub("[\x80-\xff]+$", ""), #text)
end

local function keys_of(a, b)
  local keys = {}
  for key in pairs(a) do keys[#keys + 1] = key end
  for key in pairs(b) do
    if a[key] == nil then keys[#keys + 1] = key end
  end
  table.sort(keys, function(x, y) return tostring(x) < tostring(y) end)
  return keys
end

-- Of two long texts, the part in which they begin to differ.
local function place(before, after)
  if type(before) ~= "string" or type(after) ~= "string" or #before <= SHOWN then return before, after end
  local at = 1
  while before:byte(at) == after:byte(at) do at = at + 1 end
  at = math.max(1, at - SHOWN // 4)
  return before:sub(at), after:sub(at)
end

local function compare(before, after, path, lines)
  if type(before) == "table" and type(after) == "table" then
    for _, key in ipairs(keys_of(before, after)) do
      local step = math.type(key) and ("[%d]"):format(key) or path == "" and key or "." .. key
      compare(before[key], after[key], path .. step, lines)
    end
  elseif before ~= after then
    before, after = place(before, after)
    lines[#lines + 1] = ("%s: recorded %s, now %s"):format(path == "" and "value" or path, shown(before), shown(after))
  end
end

--- What differs between two inputs, a line for each place.
---@param recorded any
---@param now any
---@return string[]
function M.difference(recorded, now)
  local lines = {}
  compare(recorded, now, "", lines)
  return lines
end

return M
