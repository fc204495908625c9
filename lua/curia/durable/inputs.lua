--- What an effect's outcome depends on: its hash, and a digest from which a difference can be told later.
--
-- A whole conversation would have to be stored with each of its requests. The digest keeps short values as they are,
-- and of long ones their length and hash.
local json = require "curia.json"
local system = require "curia.core.system"

local M = {}

local LONG = 80

local function canonical(value)
  return assert(json.encode(value == nil and json.null or value))
end

--- The hash of an input. Equal inputs have equal hashes.
---@param input any a JSON value
---@return string
function M.hash(input)
  return system.sha256(canonical(input))
end

local function short(text)
  if #text <= LONG then return text end
  local head = text:sub(1, 40):gsub("[\x80-\xff]+$", "")
  return ("%s... (%d bytes, %s)"):format(head, #text, system.sha256(text):sub(1, 12))
end

local function put(lines, path, value)
  if type(value) ~= "table" or next(value) == nil then
    lines[path] = short(type(value) == "string" and value or canonical(value))
    return
  end
  for key, item in pairs(value) do
    local step = math.type(key) and ("[%d]"):format(key) or path == "" and key or "." .. key
    put(lines, path .. step, item)
  end
end

--- What of an input is kept: a short text for each of its parts, by its place.
---@param input any a JSON value
---@return table<string, string>
function M.digest(input)
  local lines = {}
  put(lines, "", input)
  return lines
end

local function places(a, b)
  local all = {}
  for path in pairs(a) do all[#all + 1] = path end
  for path in pairs(b) do
    if a[path] == nil then all[#all + 1] = path end
  end
  table.sort(all)
  return all
end

--- What differs between two digests, a line for each place.
---@param recorded table<string, string>
---@param now table<string, string>
---@return string[]
function M.difference(recorded, now)
  local lines = {}
  for _, path in ipairs(places(recorded, now)) do
    local before, after = recorded[path], now[path]
    if before ~= after then
      lines[#lines + 1] = ("%s: recorded %s, now %s"):format(path == "" and "value" or path, before or "nothing",
        after or "nothing")
    end
  end
  return lines
end

return M
