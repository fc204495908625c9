--- Finds the JSON that a model was asked for in what it wrote: bare, fenced, or inside prose.
local json = require "curia.json"

local M = {}

local function decode(text)
  local value = json.decode(text)
  return type(value) == "table" and value ~= json.null and value or nil
end

local function without(text, from, to)
  return (text:sub(1, from - 1) .. text:sub(to + 1)):match("^%s*(.-)%s*$")
end

local function from_fence(text)
  local found, first, last
  for from, body, to in text:gmatch("()```%a*%s*\n(.-)\n%s*```()") do
    local value = decode(body)
    if value then found, first, last = value, from, to - 1 end
  end
  if found then return found, without(text, first, last) end
end

-- The end of the object that begins at `from`, counting braces outside of strings.
local function object_end(text, from)
  local depth, i = 0, from
  while true do
    local at = text:find('[{}"]', i)
    if not at then return nil end
    local char = text:sub(at, at)
    if char == '"' then
      local close = at
      repeat
        close = text:find('["\\]', close + 1)
        local escaped = close and text:byte(close) == 92
        if escaped then close = close + 1 end
      until not close or not escaped
      if not close then return nil end
      at = close
    else
      depth = depth + (char == "{" and 1 or -1)
      if depth == 0 then return at end
    end
    i = at + 1
  end
end

-- Models put the object last: the last one that reads counts. Bounded, as the text is not ours.
local MOST_OBJECTS = 200

local function from_prose(text)
  local found, first, last
  local at = 1
  for _ = 1, MOST_OBJECTS do
    local from = text:find("{", at, true)
    if not from then break end
    local close = object_end(text, from)
    local value = close and decode(text:sub(from, close))
    if value then found, first, last = value, from, close end
    at = (value and close or from) + 1
  end
  if found then return found, without(text, first, last) end
end

--- The JSON object or array in a text, or nil.
---@param text string
---@return table? value
---@return string? rest the text without it
function M.json(text)
  local value, rest = decode(text), ""
  if not value then value, rest = from_fence(text) end
  if not value then value, rest = from_prose(text) end
  return value, rest
end

return M
