--- Keeps secrets out of texts: logs, records, errors, views (SPEC 26).
-- Every secret that is resolved is remembered here, also as it looks inside JSON and inside a URL.
local M = {}

local MASK = "[secret]"

-- An echo of at least this many of a secret's first bytes is masked too ("Incorrect key: sk-abc123...").
local ECHO = 12

-- Shorter secrets are masked only where they stand alone, else they would eat ordinary words.
local SHORT = 8

local remembered = {}  -- secret -> true
local by_needle = {}   -- first bytes of a form -> list of forms
local needles = {}     -- the keys of by_needle, in order
local short = {}       -- short secrets: { text =, pattern = }

local function escape_pattern(text)
  return (text:gsub("%W", "%%%0"))
end

local JSON_ESCAPES = {
  ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t",
}

local function json_escape(text)
  return (text:gsub('[%c"\\]', function(char)
    return JSON_ESCAPES[char] or ("\\u%04x"):format(char:byte())
  end))
end

local function url_escape(text, format)
  return (text:gsub("[^%w%-._~]", function(char) return format:format(char:byte()) end))
end

local function forms_of(secret)
  local json = json_escape(secret)
  return {
    secret, json, (json:gsub("/", "\\/")),
    url_escape(secret, "%%%02X"), url_escape(secret, "%%%02x"),
    (url_escape(secret, "%%%02X"):gsub("%%20", "+")),
  }
end

local function add_form(form)
  local needle = form:sub(1, ECHO)
  if not by_needle[needle] then
    by_needle[needle] = {}
    needles[#needles + 1] = needle
  end
  table.insert(by_needle[needle], form)
end

local function add_short(secret)
  short[#short + 1] = { text = secret, pattern = "%f[%w_]" .. escape_pattern(secret) .. "%f[^%w_]" }
end

--- Remembers a secret. Texts of fewer than four bytes are no secrets and are not remembered.
---@param secret any only texts are remembered
function M.add(secret)
  if type(secret) ~= "string" or #secret < 4 or remembered[secret] then return end
  remembered[secret] = true
  if #secret < SHORT then return add_short(secret) end
  local seen = {}
  for _, form in ipairs(forms_of(secret)) do
    if not seen[form] then add_form(form) end
    seen[form] = true
  end
end

-- The end of the longest echo of any form that begins at `from`.
local function echo_end(text, from, forms)
  local best = 0
  for _, form in ipairs(forms) do
    local length = 0
    while length < #form and text:byte(from + length) == form:byte(length + 1) do length = length + 1 end
    best = math.max(best, length)
  end
  return from + best - 1
end

local function mask_needle(text, needle)
  local from = text:find(needle, 1, true)
  if not from then return text end
  local parts, at = {}, 1
  while from do
    parts[#parts + 1] = text:sub(at, from - 1)
    at = echo_end(text, from, by_needle[needle]) + 1
    from = text:find(needle, at, true)
  end
  parts[#parts + 1] = text:sub(at)
  return table.concat(parts, MASK)
end

-- A plain search is many times quicker than a pattern, and nearly always all that is needed.
local function mask_short(text, secret)
  if not text:find(secret.text, 1, true) then return text end
  return (text:gsub(secret.pattern, MASK))
end

--- A text for storing: secrets shorter than eight bytes stay. A run goes on with what its journal says, and a key
--- like "test" must not take the word out of an answer.
---@param text string
---@return string
function M.lasting(text)
  for i = 1, #needles do text = mask_needle(text, needles[i]) end
  return text
end

--- The text with every secret, and every longer beginning of one, replaced by "[secret]".
---@param text string
---@return string
function M.text(text)
  text = M.lasting(text)
  for _, secret in ipairs(short) do text = mask_short(text, secret) end
  return text
end

--- Masks the texts inside a table in place, and returns the table. Keys stay as they are.
---@generic T
---@param value T
---@param mask? fun(text: string): string `text`
---@return T
function M.deep(value, mask, seen)
  mask = mask or M.text
  if type(value) == "string" then return mask(value) end
  seen = seen or {}
  if type(value) ~= "table" or seen[value] then return value end
  seen[value] = true
  for key, item in next, value do
    if type(item) == "string" or type(item) == "table" then rawset(value, key, M.deep(item, mask, seen)) end
  end
  return value
end

--- Forgets all secrets (for tests).
function M.reset()
  remembered, by_needle, needles, short = {}, {}, {}, {}
end

return M
