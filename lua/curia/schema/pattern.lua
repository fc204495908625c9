--- The regular expressions of JSON Schema, ECMA-262 with its `u` flag, on PCRE2.
--
-- What PCRE2's options cannot settle (see runtime/regex.h) is rewritten here: `.` stops at the line ends of
-- ECMA-262, \s knows Unicode's blanks, \v and \0 are characters, \u{...} and surrogate pairs are one, general
-- categories have their long names, `[` in a class is itself. Escapes of letters that ECMA-262 does not have
-- (\A, \Z, \h ...) are faults, as PCRE2 means something else by them than nothing.
local errors = require "curia.errors"
local regex = require "curia.core.regex"

local M = {}

-- Unicode's long names of general categories (PropertyValueAliases.txt, gc), and Nd's third name.
local CATEGORIES = {
  Other = "C", Control = "Cc", Format = "Cf", Unassigned = "Cn", Private_Use = "Co", Surrogate = "Cs", Letter = "L",
  Cased_Letter = "L&", Lowercase_Letter = "Ll", Modifier_Letter = "Lm", Other_Letter = "Lo", Titlecase_Letter = "Lt",
  Uppercase_Letter = "Lu", Mark = "M", Spacing_Mark = "Mc", Enclosing_Mark = "Me", Nonspacing_Mark = "Mn",
  Number = "N", Decimal_Number = "Nd", digit = "Nd", Letter_Number = "Nl", Other_Number = "No", Punctuation = "P",
  Connector_Punctuation = "Pc", Dash_Punctuation = "Pd", Close_Punctuation = "Pe", Final_Punctuation = "Pf",
  Initial_Punctuation = "Pi", Other_Punctuation = "Po", Open_Punctuation = "Ps", Symbol = "S", Currency_Symbol = "Sc",
  Modifier_Symbol = "Sk", Math_Symbol = "Sm", Other_Symbol = "So", Separator = "Z", Line_Separator = "Zl",
  Paragraph_Separator = "Zp", Space_Separator = "Zs",
}

-- WhiteSpace and LineTerminator of ECMA-262, and all else, inside a class.
local BLANKS = [[\t-\r\x20\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]]
local NO_BLANKS = [[\x00-\x08\x0e-\x1f!-\u009f\u00a1-\u167f\u1681-\u1fff\u200b-\u2027\u202a-\u202e\u2030-\u205e]]
  .. [[\u2060-\u2fff\u3001-\ud7ff\ue000-\ufefe\uff00-]] .. utf8.char(0x10FFFF)

local function character(code)
  if code < 0x80 then return ("\\x%02x"):format(code) end
  return code <= 0x10FFFF and utf8.char(code) or nil
end

-- \u{1F600}, and the two halves of a surrogate pair.
local function unicode_escape(pattern, at)
  local digits, after = pattern:match("^{(%x+)}()", at)
  if digits and #digits <= 8 then return character(tonumber(digits, 16)), after end
  local high, low = pattern:match("^([Dd][89ABab]%x%x)\\u([Dd][C-Fc-f]%x%x)", at)
  if not high then return "\\u", at end
  return utf8.char(0x10000 + ((tonumber(high, 16) - 0xD800) << 10) + tonumber(low, 16) - 0xDC00), at + 10
end

local function property_escape(letter)
  return function(pattern, at)
    local name, after = pattern:match("^{([%w_=]+)}()", at)
    if not name then return nil end
    name = name:gsub("^General_Category=", ""):gsub("^gc=", "")
    return ("\\%s{%s}"):format(letter, CATEGORIES[name] or name), after
  end
end

local function verbatim(letter)
  return function(_, at) return "\\" .. letter, at end
end

local function fixed(text, text_in_class)
  return function(_, at, in_class) return in_class and text_in_class or text, at end
end

-- What a letter or digit after a backslash becomes: functions of the pattern and the place behind it, that give
-- the text and where to go on.
local ESCAPES = {
  s = fixed("[" .. BLANKS .. "]", BLANKS), S = fixed("[^" .. BLANKS .. "]", NO_BLANKS), v = fixed [[\u000b]],
  u = unicode_escape, p = property_escape "p", P = property_escape "P",
  ["0"] = function(pattern, at) return not pattern:find("^%d", at) and [[\u0000]] or nil, at end,
  c = function(pattern, at) return pattern:find("^%a", at) and "\\c" or nil, at end,
  x = function(pattern, at) return pattern:find("^%x%x", at) and "\\x" or nil, at end,
}
for letter in ("dDwWbBtnfrk123456789"):gmatch "." do ESCAPES[letter] = verbatim(letter) end

local function unknown_escape(letter, at)
  return nil, errors.new("validation", ("'\\%s' at byte %d is no escape of ECMA-262"):format(letter, at))
end

local function escape(pattern, at, in_class)
  local letter = pattern:sub(at + 1, at + 1)
  if not letter:find("^%w") then return "\\" .. letter, at + 1 + #letter end
  local rewrite = ESCAPES[letter]
  local text, after
  if rewrite then text, after = rewrite(pattern, at + 2, in_class) end
  if not text then return unknown_escape(letter, at) end
  return text, after
end

local DOT = "[^\\n\\r\\u2028\\u2029]"

-- The text for a character that may need another, and whether what follows stands in a class.
local function special(char, in_class)
  if char == "." then return in_class and "." or DOT, in_class end
  if char == "]" then return "]", false end
  return in_class and "\\[" or "[", true
end

local function translated(pattern)
  local out, at, in_class = {}, 1, false
  while true do
    local from = pattern:find("[\\%[%].]", at)
    out[#out + 1] = pattern:sub(at, (from or 0) - 1)
    if not from then return table.concat(out) end
    local char, after = pattern:sub(from, from), from + 1
    local text
    if char == "\\" then text, after = escape(pattern, from, in_class)
    else text, in_class = special(char, in_class) end
    if not text then return nil, after end
    out[#out + 1], at = text, after
  end
end

local function compile(pattern)
  if #pattern > 8192 then return nil, errors.new("validation", "the pattern is too long") end
  local text, err = translated(pattern)
  if not text then return nil, err end
  return regex.compile(text)
end

local MOST_KEPT = 256
local kept, count = {}, 0

--- Compiles a pattern; what was compiled lately is not compiled again.
---@param pattern string
---@return table? regex with `regex:find(text) -> found, steps | nil, err`
---@return curia.Error? err
function M.compile(pattern)
  local known = kept[pattern]
  if known then return known end
  local made, err = compile(pattern)
  if not made then return nil, err end
  if count >= MOST_KEPT then kept, count = {}, 0 end
  kept[pattern], count = made, count + 1
  return made
end

return M
