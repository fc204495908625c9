--- Values as they are stored: canonical JSON in which long texts are replaced by the hash of their content.
--
-- The same answer stands in a step, in an event and in a result: it is stored once. A replaced text is
-- `{"$blob": hash}`; an object of the user's with such a key is wrapped in `{"$object": ...}`.
local errors = require "curia.errors"
local json = require "curia.json"
local redact = require "curia.redact"

local M = {}

-- A shorter text costs more as a row of its own than it saves.
local LONG = 512

---@class curia.store.Encoded
---@field bytes string
---@field parts string[] what `bytes` speaks of: hash, text, hash, text, ...
---@field is_masked boolean no secret is in it

local NO_PARTS = {}

local function is_special(value)
  return value["$blob"] ~= nil or value["$object"] ~= nil
end

local function wrapped(value)
  if type(value) ~= "table" then return value end
  local copy = json.is_array(value) and json.array() or {}
  for key, item in pairs(value) do copy[key] = wrapped(item) end
  return is_special(copy) and { ["$object"] = copy } or copy
end

-- A plain search stops wherever the first byte stands: a dollar is rarer than a quote.
local function mentions(bytes)
  return bytes:find("$blob", 1, true) or bytes:find("$object", 1, true)
end

--- A value for storing.
---@param value any a JSON value
---@param known? table<string, string> keeps the hashes of long texts, for the next value that they stand in
---@param fragments? table<table, string> keeps tables as they are written, for as long as none of them changes; their
--- long texts are parts of the value that they are first written in
---@return curia.store.Encoded?
---@return curia.Error? err kind `validation`: JSON has no form for it
function M.encode(value, known, fragments)
  local bytes, parts, ambiguous = json.encode_apart(value, LONG, known, fragments)
  if not bytes then return nil, parts end
  if ambiguous then bytes, parts = json.encode_apart(wrapped(value), LONG, known) end
  return { bytes = bytes, parts = parts or NO_PARTS, is_masked = false }
end

--- Takes the secrets out of it (SPEC 26), those excepted that may be words (`redact.lasting`).
---@param encoded curia.store.Encoded changed
---@return curia.store.Encoded encoded
---@return boolean found whether there was one
function M.mask(encoded)
  if encoded.is_masked then return encoded, false end
  local parts, bytes = encoded.parts, redact.lasting(encoded.bytes)
  local found = bytes ~= encoded.bytes
  for i = 2, #parts, 2 do
    local text = redact.lasting(parts[i])
    found = found or text ~= parts[i]
    parts[i] = text
  end
  encoded.bytes, encoded.is_masked = bytes, true
  return encoded, found
end

local function missing(hash)
  return errors.new("storage", "the content " .. hash .. " is not in the store", { code = "missing_blob" })
end

local function restore(value, fetch)
  local hash = value["$blob"]
  if type(hash) == "string" then return fetch(hash) or error(missing(hash), 0) end
  local inner = value["$object"] or value
  for key, item in next, inner do
    if type(item) == "table" then inner[key] = restore(item, fetch) end
  end
  return inner
end

--- The hashes that stored bytes speak of.
---@param bytes string
---@return string[]
function M.hashes(bytes)
  local found = {}
  if not mentions(bytes) then return found end
  for hash in bytes:gmatch '{"$blob":"(%x+)"}' do found[#found + 1] = hash end
  return found
end

--- The value again.
---@param bytes string
---@param fetch fun(hash: string): string? the content of a hash
---@return any
---@return curia.Error? err kind `storage`, code `missing_blob`; or why the bytes are no JSON
function M.decode(bytes, fetch)
  local value, err = json.decode(bytes)
  if err or type(value) ~= "table" or not mentions(bytes) then return value, err end
  local ok, restored = pcall(restore, value, fetch)
  if ok then return restored end
  return nil, restored
end

--- The value that an encoded one is of.
---@param encoded curia.store.Encoded
---@return any
function M.content(encoded)
  local contents = {}
  for i = 1, #encoded.parts, 2 do contents[encoded.parts[i]] = encoded.parts[i + 1] end
  return M.decode(encoded.bytes, function(hash) return contents[hash] end)
end

return M
