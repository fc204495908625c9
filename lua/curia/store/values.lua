--- Values as they are stored: canonical JSON in which long texts are replaced by the hash of their content.
--
-- The same answer stands in a step, in an event and in a result: it is stored once. A replaced text is
-- `{"$blob": hash}`; an object of the user's with such a key is wrapped in `{"$object": ...}`.
local errors = require "curia.errors"
local json = require "curia.json"
local system = require "curia.core.system"

local M = {}

-- A shorter text costs more as a row of its own than it saves.
local LONG = 1024

---@class curia.store.Encoded
---@field bytes string
---@field blobs {hash: string, content: string}[] what `bytes` speaks of

local function blob(text, blobs)
  local hash = system.sha256(text)
  blobs[#blobs + 1] = { hash = hash, content = text }
  return { ["$blob"] = hash }
end

local function is_special(value)
  return value["$blob"] ~= nil or value["$object"] ~= nil
end

local function shorten(value, blobs)
  if type(value) == "string" then return #value >= LONG and blob(value, blobs) or value end
  if type(value) ~= "table" then return value end
  local short = json.is_array(value) and json.array() or {}
  for key, item in pairs(value) do short[key] = shorten(item, blobs) end
  if is_special(value) then return { ["$object"] = short } end
  return short
end

local function mentions(bytes)
  return bytes:find('"$blob"', 1, true) or bytes:find('"$object"', 1, true)
end

--- A value for storing.
---@param value any a JSON value
---@return curia.store.Encoded?
---@return curia.Error? err kind `validation`: JSON has no form for it
function M.encode(value)
  local bytes, err = json.encode(value)
  if not bytes then return nil, err end
  if #bytes < LONG and not mentions(bytes) then return { bytes = bytes, blobs = {} } end
  local blobs = {}
  return { bytes = assert(json.encode(shorten(value, blobs))), blobs = blobs }
end

local function missing(hash)
  return errors.new("storage", "the content " .. hash .. " is not in the store", { code = "missing_blob" })
end

local function restore(value, fetch)
  if type(value) ~= "table" then return value end
  local hash = value["$blob"]
  if type(hash) == "string" then return fetch(hash) or error(missing(hash), 0) end
  local inner = value["$object"] or value
  for key, item in pairs(inner) do inner[key] = restore(item, fetch) end
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
  if err or not mentions(bytes) then return value, err end
  local ok, restored = pcall(restore, value, fetch)
  if ok then return restored end
  return nil, restored
end

return M
