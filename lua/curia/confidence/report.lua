--- Reads the confidence that a model states about its own answer, in the shapes in which models write it:
--- "Confidence: 85%", "**Confidence:** 8/10", "I am 85% confident.", a heading with the number below it, or a field of
--- a JSON object. Stated means unmistakable: whatever can be read in two ways is read in none.
--
-- The text is not ours: only its last lines are looked at, and only short ones, so that no pattern can be made to run
-- for long.
local extract = require "curia.extract"
local json = require "curia.json"

local M = {}

local TAIL_BYTES, LONGEST_LINE, LAST_LINES, MOST_REPORTS = 600, 200, 3, 3

-- ---- numbers ------------------------------------------------------------------------------------

-- A number without a unit is a share up to 1, and a percentage above 10; between them it may be either, or of ten.
local function bare(number)
  if number <= 1 then return number end
  if number > 10 and number <= 100 then return number / 100 end
end

local function share(number, of)
  if of > 0 and number <= of then return number / of end
end

-- One number with its unit at a place in the text: its value (nil: no share of one), and where the next begins.
local function one(text, at)
  local digits, place = text:match("^(%d*[.,]?%d+)()", at)
  if digits:find(",%d%d%d$") then return nil, place end -- a thousand, or a thousandth
  local number = tonumber((digits:gsub(",", ".")))
  local rest = text:match("^%s*%%()", place) or text:match("^%s*percent()", place)
  if rest then return share(number, 100), rest end
  local of
  of, rest = text:match("^%s*/%s*(%d+)%%?()", place)
  if not of then of, rest = text:match("^%s+out%s+of%s+(%d+)()", place) end
  if of then return share(number, tonumber(of)), rest end
  return bare(number), place
end

local SAME = 0.005

--- The share that a short text states: "85%", "0.85", "8/10", "8 out of 10 (80%)". Several numbers must say the same.
---@param text string in lower case
---@return number? share from 0 to 1; nil when there is none, or no single one
function M.number(text)
  local found
  local at = text:find("[.,]?%d")
  while at do
    if text:sub(at - 1, at - 1) == "-" then return nil end -- negative, or a range
    local value, place = one(text, at)
    if not value or found and math.abs(found - value) > SAME then return nil end
    found = found or value
    at = text:find("[.,]?%d", place)
  end
  return found
end

-- ---- lines --------------------------------------------------------------------------------------

local DASHES = { ["\226\128\147"] = "-", ["\226\128\148"] = "-", ["\226\136\146"] = "-", ["\226\128\153"] = "'" }

-- A line as it reads: without marks of emphasis, in lower case.
local function plain(line)
  line = line:lower():gsub("[*_`#>\"|]", ""):gsub("\226\128[\147\148\153]", DASHES):gsub("\226\136\146", "-")
  return (line:gsub("^[%s%(%[{]+", ""):gsub("[%s%)%]}]+$", ""))
end

local function set(text)
  local words = {}
  for word in text:gmatch("%S+") do words[word] = true end
  return words
end

local OPENING = set "my overall final estimated the level of"
local NAMING = set "level score rating estimate in this that my the it is answer of right correct accurate"
local UNITS = set "percent out of about around approximately roughly at least only"
local LEVELS = set "about around approximately roughly at least only very fairly high medium moderate low"

-- Letters of other alphabets make words too, none of which is known.
local function only(words, text)
  for word in text:gmatch("[%a\128-\255]+") do
    if not words[word] then return false end
  end
  return true
end

-- What follows the label: "level: 85%", "(0-100) = 85", "is 85%", " 85%".
local function after_label(rest)
  rest = rest:gsub("^%s*%b()", "")
  local words, value = rest:match("^([%a%s]*)[:=]%s*(.*)$")
  if not words then words, value = rest:match("^([%a%s]*)%s+is%s+(.*)$") end
  if not words then words, value = rest:match("^([%a%s]*)%s%-%s+(.*)$") end
  if not words then words, value = rest:match("^([%a%s]*)%s(%d.*)$") end
  if words and only(NAMING, words) then return value end
  if not words and only(NAMING, rest) then return "" end
end

-- The reason that may follow a number is none of it.
local function without_reason(value)
  for _, start in ipairs { "%s%-%s%a", "[,;.]%s", "%sbecause%s", "%sas%s", "%ssince%s", "%sthat%s" } do
    local at = value:find(start)
    if at then value = value:sub(1, at - 1) end
  end
  return value
end

-- "I am about 85% confident", where nothing follows that belongs to the answer.
local function from_sentence(line)
  local value, after = line:match("^i'?%s?a?m%s(.-)%sconfident(.*)$")
  if not value then value, after = line:match("^i'?%s?a?m%s(.-)%ssure(.*)$") end
  if value and value:find("%d") and only(UNITS, value) and only(NAMING, after) then return value end
end

-- A number, a word in its place, or nothing; prose that begins with the label is no report.
local function is_value(text)
  local before = text:match("^(.-)%d")
  if before then return only(LEVELS, (before:gsub("\226\137\136", ""))) end -- the sign "about equal"
  return not text:find("%S%s+%S")
end

-- The value of a line that is a report and nothing else; "" where only its label stands.
local function whole_line(line)
  local before, rest = line:match("^(.-)confidence(.*)$")
  before = before and before:gsub("^%d+[.)]%s", "") -- an item of a list
  if not before or before:find("%d") or not only(OPENING, before) then return from_sentence(line) end
  local value = after_label(rest)
  value = value and without_reason(value)
  return value and is_value(value) and value or nil
end

-- Where a report begins that ends a line of prose, and its value.
local function line_end(line)
  local at = line:lower():match("^.*()confidence")
  local value = at and after_label(plain(line:sub(at)):sub(#"confidence" + 1))
  if not value or not value:find("%d") or not only(UNITS, value) then return nil end
  local kept = line:sub(1, at - 1):gsub("[%s%(%[*_`]+$", "")
  return kept:gsub("%s+[Mm]y$", ""), value
end

-- The last lines with text, the last one first, each with its place.
local function last_lines(text)
  local lines, from = {}, math.max(1, #text - TAIL_BYTES + 1)
  for start, line, stop in text:sub(from):gmatch("()([^\n]+)()") do
    if line:find("%w") then table.insert(lines, 1, { text = line, from = from + start - 1, to = from + stop - 2 }) end
  end
  return lines
end

local function trim_end(text)
  return (text:match("^.*%S") or "")
end

local function cut(text, from, to)
  local before, after = trim_end(text:sub(1, from - 1)), text:sub(to + 1)
  if not after:find("%S") then return before end
  return before == "" and after:match("%S.*") or before .. after
end

-- The tail may begin within a line.
local function is_fragment(text, line)
  return line.from > 1 and text:sub(line.from - 1, line.from - 1) ~= "\n"
end

-- A field of an object is read with the whole object.
local function is_field(line)
  return line.text:lower():find("confidence[%a_]*[\"']%s*:") ~= nil
end

local function read_line(text, lines, i)
  local line = lines[i]
  if #line.text > LONGEST_LINE or is_fragment(text, line) or is_field(line) then return nil end
  local value = whole_line(plain(line.text))
  if value == "" then -- the number stands in the line below
    local below = lines[i - 1]
    value = below and plain(below.text)
    if not value or #value > 12 or not value:find("%d") then return nil end
    return value, cut(text, line.from, below.to)
  end
  return value, value and cut(text, line.from, line.to)
end

local function read_end(text, line)
  if not line or is_field(line) then return nil end
  local kept, value = line_end(line.text)
  if kept and kept:find("%S") then return value, text:sub(1, line.from - 1) .. kept .. text:sub(line.to + 1) end
end

--- The report in the last lines of a text.
---@param text string
---@return string? value what it states, as text; nil: there is no report
---@return string? rest the text without it
function M.line(text)
  local lines = last_lines(text)
  for i = 1, math.min(#lines, LAST_LINES) do
    local value, rest = read_line(text, lines, i)
    if value then return value, rest end
  end
  return read_end(text, lines[1])
end

-- ---- JSON ---------------------------------------------------------------------------------------

local KEYS = { "confidence", "confidence_score", "confidence_level" }

--- The confidence that an object states: a number, or a text with one.
---@param object table
---@return number? share
---@return string? key the field that states it, readable or not
function M.field(object)
  for _, key in ipairs(KEYS) do
    local value = object[key]
    if type(value) == "string" then return M.number(value:lower()), key end
    if type(value) == "number" then return value >= 0 and bare(value) or nil, key end
  end
end

local function only_field(object, key)
  return next(object) == key and next(object, key) == nil
end

-- A text that ends with an object, fenced or not: one in the middle may be about anything.
local function ends_with_object(text)
  return text:find("}[%s`]*$", -TAIL_BYTES) ~= nil
end

-- An object that holds nothing else is no part of the answer; one that does is the answer.
local function from_json(text)
  if not ends_with_object(text) then return nil, text, false end
  local object, rest = extract.json(text)
  if not object then return nil, text, false end
  local value, key = M.field(object)
  if not key then return nil, text, false end
  if only_field(object, key) then return value, rest, true end
  return value, text, true
end

-- A model that states it twice means the last one.
local function without_more(text)
  for _ = 2, MOST_REPORTS do
    local value, rest = M.line(text)
    if not value then break end
    text = rest
  end
  return text
end

--- Reads what a model states about itself, and takes it out of its text.
---@param text string
---@return number? share nil when nothing is stated, or nothing that can be read
---@return string rest the text without the statement
---@return boolean stated something was stated, readable or not
function M.read(text)
  local value, rest = M.line(text)
  if value then return M.number(value), without_more(rest), true end
  return from_json(text)
end

--- Takes a field of the top out of a JSON text.
---@param text string
---@param key string
---@return string text as it was, where it is no JSON object or has no such field
function M.without_field(text, key)
  local object = extract.json(text)
  if not object or object[key] == nil then return text end
  object[key] = nil
  return json.encode(object) or text
end

return M
