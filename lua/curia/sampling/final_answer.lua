--- The short answer in what a model wrote, in a form in which equal answers are equal texts.
--
-- What is looked for, in this order; the first that is there counts:
--   1. a structured answer: its field `answer` (or `final_answer`, `choice`, `result`), else all of it
--   2. the last line "Answer: X" ("Final answer: X", "**Answer:** X")
--   3. a JSON object in the text that has one of those fields
--   4. the whole text
-- Letter case, spaces, quotes, emphasis, a full stop at the end and the way a number is written make no difference.
local extract = require "curia.extract"
local json = require "curia.json"

local M = {}

local FIELDS = { "answer", "final_answer", "choice", "result" }

-- ---- equal answers as equal texts ---------------------------------------------------------------

-- "1,250.0" -> "1250"
local function number_text(text)
  local plain = text:find("^[+-]?%d%d?%d?,%d%d%d[%d,]*%.?%d*$") and text:gsub(",", "") or text
  if not plain:find("^[+-]?%d*%.?%d+$") then return nil end
  local number = tonumber(plain)
  return math.tointeger(number) and ("%d"):format(number) or ("%.14g"):format(number)
end

local WRAPPING = "[%s%*_`\"'%$]"

-- Plain steps from both ends: a pattern with two repetitions could be made to run for hours.
local function unwrapped(text)
  local from, to = 1, #text
  while from <= to and text:find("^" .. WRAPPING, from) do from = from + 1 end
  while to >= from and text:find("^[%s%*_`\"'%$%.!]", to) do to = to - 1 end
  return text:sub(from, to)
end

--- The form of an answer in which it is compared; nil when nothing is left of it.
---@param text string
---@return string?
function M.normalise(text)
  local bare = unwrapped(text):gsub("%s+", " "):lower()
  if bare == "" then return nil end
  return number_text(bare) or bare
end

local function scalar(value)
  if type(value) == "string" then return M.normalise(value) end
  if type(value) == "number" or type(value) == "boolean" then return M.normalise(tostring(value)) end
end

--- Any value that stands for an answer, as text.
---@param value any
---@return string?
function M.text(value)
  if value == nil or value == json.null then return nil end
  if type(value) == "table" then return json.encode(value) end
  return scalar(value)
end

-- ---- where it stands ------------------------------------------------------------------------------

local function field_of(object)
  if type(object) ~= "table" then return nil end
  for _, name in ipairs(FIELDS) do
    local found = M.text(object[name])
    if found then return found end
  end
end

local SAYS = { ["answer"] = true, ["final answer"] = true, ["the answer"] = true }
local LONGEST_HEAD = 40

-- Marks of lists, headings and quotations may stand before it.
local function on_line(line)
  local colon = line:find(":", 1, true)
  if not colon or colon > LONGEST_HEAD then return nil end
  local head = line:sub(1, colon - 1):gsub("^[%s%-#>]+", "")
  if SAYS[unwrapped(head):lower()] then return M.normalise(line:sub(colon + 1)) end
end

local function last_line_that_says(content)
  local found
  for line in content:gmatch("[^\n]+") do found = on_line(line) or found end
  return found
end

--- The answer of a response.
---@param response table
---@return string? answer nil: none can be read
function M.of(response)
  local parsed, content = response.parsed, response.content or ""
  if type(parsed) == "table" then return field_of(parsed) or M.text(parsed) end
  return scalar(parsed) or last_line_that_says(content) or field_of((extract.json(content))) or M.normalise(content)
end

return M
