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

-- Models put the object last: the last one that reads counts. What is looked at is bounded, as the text is not
-- ours: a brace that is never closed costs a look at all that follows.
local MOST_BYTES = 2 * 1024 * 1024

local function from_prose(text)
  local found, first, last
  local from, looked_at = text:find("{", 1, true), 0
  while from and looked_at < MOST_BYTES do
    local close = object_end(text, from)
    local value = close and decode(text:sub(from, close))
    if value then found, first, last = value, from, close end
    looked_at = looked_at + (close or #text) - from + 1
    from = text:find("{", (value and close or from) + 1, true)
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
