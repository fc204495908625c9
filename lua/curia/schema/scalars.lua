--- The keywords that judge one value: its type, numbers, texts.
--
-- Keywords are functions of the evaluation, the keyword's value and the value that is judged; they tell faults by
-- `e:fault(keyword, message)`.
local formats = require "curia.schema.formats"
local patterns = require "curia.schema.pattern"
local values = require "curia.schema.values"

local M = { any = {}, number = {}, string = {} }

-- ---- any value --------------------------------------------------------------------------------------

local ARTICLES = { array = "an array", object = "an object", integer = "a whole number", null = "null" }

local function called(name)
  return ARTICLES[name] or "a " .. tostring(name)
end

local function has_type(name, value)
  return values.kind(value) == name or name == "integer" and values.is_integer(value)
end

local function expected(names)
  local words = {}
  for i, name in ipairs(names) do words[i] = called(name) end
  return table.concat(words, " or ")
end

function M.any.type(e, wanted, value)
  local names = type(wanted) == "table" and wanted or { wanted }
  for _, name in ipairs(names) do
    if has_type(name, value) then return end
  end
  e:fault("type", ("must be %s, not %s"):format(expected(names), values.show(value)))
end

function M.any.const(e, wanted, value)
  if values.same(wanted, value) then return end
  e:fault("const", ("must be %s, not %s"):format(values.key(wanted), values.show(value)))
end

local MOST_SHOWN = 12

local function choices(list)
  local shown = {}
  for i = 1, math.min(#list, MOST_SHOWN) do shown[i] = values.show(list[i]) end
  if #list > MOST_SHOWN then shown[#shown + 1] = "..." end
  return table.concat(shown, ", ")
end

function M.any.enum(e, list, value)
  if not e:spend(#list) then return end
  for _, allowed in ipairs(list) do
    if values.same(allowed, value) then return end
  end
  e:fault("enum", ("must be one of %s, not %s"):format(choices(list), values.show(value)))
end

-- ---- numbers ----------------------------------------------------------------------------------------

local function bound(keyword, holds, words)
  M.number[keyword] = function(e, limit, value)
    if holds(value, limit) then return end
    e:fault(keyword, ("must be %s %s, not %s"):format(words, values.show(limit), values.show(value)))
  end
end

bound("minimum", function(value, limit) return value >= limit end, "at least")
bound("maximum", function(value, limit) return value <= limit end, "at most")
bound("exclusiveMinimum", function(value, limit) return value > limit end, "more than")
bound("exclusiveMaximum", function(value, limit) return value < limit end, "less than")

-- Floats that were decimal fractions are multiples up to their rounding: 19.99 of 0.01.
local ROUNDING = 1e-12

local function is_multiple(value, divisor)
  if math.fmod(value, divisor) == 0 then return true end
  if math.type(value) == "integer" and math.type(divisor) == "integer" then return false end
  local quotient = value / divisor
  if quotient - quotient ~= 0 then return false end
  return math.abs(quotient - math.floor(quotient + 0.5)) <= ROUNDING * math.abs(quotient)
end

function M.number.multipleOf(e, divisor, value)
  if divisor == 0 or is_multiple(value, divisor) then return end
  e:fault("multipleOf", ("must be a multiple of %s, not %s"):format(values.show(divisor), values.show(value)))
end

-- ---- texts ------------------------------------------------------------------------------------------

local function length_of(text)
  return utf8.len(text) or #text
end

local function characters(count)
  return ("%s %s"):format(values.show(count), count == 1 and "character" or "characters")
end

function M.string.minLength(e, least, text)
  if length_of(text) >= least then return end
  e:fault("minLength", ("must have at least %s, and has %d"):format(characters(least), length_of(text)))
end

function M.string.maxLength(e, most, text)
  if length_of(text) <= most then return end
  e:fault("maxLength", ("must have at most %s, and has %d"):format(characters(most), length_of(text)))
end

--- Whether a text matches a pattern; nil where that cannot be told, which is a fault.
---@param e curia.schema.Evaluation
---@param keyword string
---@param pattern string
---@param text string
---@return boolean?
function M.matches(e, keyword, pattern, text)
  local regex, err = patterns.compile(pattern)
  local found, steps
  if regex then found, steps = regex:find(text) end
  if found == nil then
    e:fault(keyword, ("cannot be compared with the pattern %s: %s"):format(pattern, (err or steps).message))
    return e:exhaust()
  end
  e:spend(steps // 32) -- a step of the pattern is cheaper than one of ours
  return found
end

function M.string.pattern(e, pattern, text)
  if M.matches(e, "pattern", pattern, text) ~= false then return end
  e:fault("pattern", ("must match the pattern %s, unlike %s"):format(pattern, values.show(text)))
end

function M.string.format(e, name, text)
  local holds = formats.asserted[name]
  if not holds or holds(text) then return end
  e:fault("format", ("must have the format %s, unlike %s"):format(name, values.show(text)))
end

return M
