--- Finds the JSON that a model was asked for in what it wrote: bare, fenced, or inside prose.
local json = require "curia.json"

local M = {}

local function decode(text)
  local value = json.decode(text)
  return type(value) == "table" and value ~= json.null and value or nil
end

-- Plain searches throughout: a pattern with two repetitions could be made to run for hours.
local function trim(text)
  local from = text:find("%S")
  return from and text:match(".*%S", from) or ""
end

local function without(text, from, to)
  return trim(text:sub(1, from - 1) .. text:sub(to + 1))
end

-- The next text between two fences: where the first begins, the text, where the second ends.
local function next_fence(text, at)
  local from = text:find("```", at, true)
  local line_end = from and text:find("\n", from, true)
  local close = line_end and text:find("```", line_end, true)
  if close then return from, text:sub(line_end + 1, close - 1), close + 2 end
end

local function from_fence(text)
  local found, first, last
  local from, body, to = next_fence(text, 1)
  while from do
    local value = decode(body)
    if value then found, first, last = value, from, to end
    from, body, to = next_fence(text, to + 1)
  end
  if found then return found, without(text, first, last) end
end

-- The end of the text that begins with the quote at `at`, or nil.
local function string_end(text, at)
  local close = at
  repeat
    close = text:find('["\\]', close + 1)
    local escaped = close and text:byte(close) == 92
    if escaped then close = close + 1 end
  until not close or not escaped
  return close
end

local OBJECTS = { open = "{", stops = '[{}"]' }
local ARRAYS = { open = "[", stops = '[%[%]"]' }

-- The end of the object or array that begins at `from`, counting its brackets outside of strings.
local function container_end(text, from, kind)
  local depth, i = 0, from
  while true do
    local at = text:find(kind.stops, i)
    if not at then return nil end
    local char = text:sub(at, at)
    if char == '"' then
      at = string_end(text, at)
      if not at then return nil end
    else
      depth = depth + (char == kind.open and 1 or -1)
      if depth == 0 then return at end
    end
    i = at + 1
  end
end

-- Models put the object last: the last one that reads counts. What is looked at is bounded, as the text is not
-- ours: a brace that is never closed costs a look at all that follows.
local MOST_BYTES = 2 * 1024 * 1024

local function from_prose(text, kind)
  local found, first, last
  local from, looked_at = text:find(kind.open, 1, true), 0
  while from and looked_at < MOST_BYTES do
    local close = container_end(text, from, kind)
    local value = close and decode(text:sub(from, close))
    if value then found, first, last = value, from, close end
    looked_at = looked_at + (close or #text) - from + 1
    from = text:find(kind.open, (value and close or from) + 1, true)
  end
  if found then return found, without(text, first, last) end
end

--- The JSON object or array in a text, or nil. In prose it is an object.
---@param text string
---@return table? value
---@return string? rest the text without it
function M.json(text)
  local value, rest = decode(text), ""
  if not value then value, rest = from_fence(text) end
  if not value then value, rest = from_prose(text, OBJECTS) end
  return value, rest
end

---@class curia.ExtractOptions
---@field array? boolean in prose an array is looked for, not an object
---@field cut? boolean the text was cut off: what can be read in its prose is but a part of what was meant

--- The JSON value that a text is or holds: any value where it stands alone, else an object or array.
---@param text string
---@param opts curia.ExtractOptions
---@return any value nil: there is none
function M.value(text, opts)
  local value, err = json.decode(text)
  if not err then return value end
  value = from_fence(text)
  if value or opts.cut then return value end
  return (from_prose(text, opts.array and ARRAYS or OBJECTS))
end

return M
