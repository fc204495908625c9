--- What a shared registry keeps of a value: a JSON value, never code and never a secret.
--
-- A council is kept in its data form; where the key of a provider comes from (`env`, `file`) as `{"$secret": ...}`.
-- A command is code: whoever can write to the registry would have it run on every node.
local check = require "curia.language.check"
local council = require "curia.council"
local data_form = require "curia.language.data_form"
local errors = require "curia.errors"
local json = require "curia.json"
local redact = require "curia.redact"
local registries = require "curia.registry"
local secrets = require "curia.language.secrets"

local M = {}

--- The version of this form. What a newer Curia has written may mean something else: it is not read.
M.SCHEMA_VERSION = 1

local COUNCILS = { council = true, sub_council = true }
local DEEPEST = 64

---@class curia.registry.Entry
---@field kind string
---@field name string
---@field value any a JSON value
---@field schema_version integer
---@field fault? string why the value cannot be read

-- ---- writing --------------------------------------------------------------------------------------

local function refuse(code, path, message)
  error({ code = code, message = path == "" and message or ("%s: %s"):format(path, message) }, 0)
end

local SECRET = 'a secret is not kept in the registry: say where it comes from, by env "NAME" or file "PATH"'

local function secret_data(secret, path)
  if secret.source == "env" then return { ["$secret"] = { env = json.array { table.unpack(secret.names) } } } end
  if secret.source == "file" then return { ["$secret"] = { file = secret.path } } end
  if secret.source == "literal" then return refuse("secret", path, SECRET) end
  refuse("not_serializable", path, ("%s is code: use env \"NAME\" or file \"PATH\""):format(tostring(secret)))
end

local function is_object(value)
  return getmetatable(value) ~= nil and (check.object_class(value) ~= nil or not check.class(value))
end

local plain

local function plain_table(value, path, depth)
  if secrets.is(value) then return secret_data(value, path) end
  if is_object(value) then refuse("not_serializable", path, "an object is no data") end
  if depth > DEEPEST then refuse("out_of_range", path, ("tables stand at most %d deep in tables"):format(DEEPEST)) end
  local copy = json.is_array(value) and json.array() or {}
  for key, item in pairs(value) do
    if key == "$secret" then refuse("not_serializable", path, "'$secret' is a name of the registry's own") end
    copy[key] = plain(item, check.join(path, key), depth + 1)
  end
  return copy
end

function plain(value, path, depth)
  if type(value) == "table" then return plain_table(value, path, depth) end
  if type(value) ~= "function" then return value end
  refuse("not_serializable", path, "a function is code: register { module =, name = } in its place")
end

local function says_secret(header)
  local name = header:lower()
  return name:find "auth" or name:find "key" or name:find "token" or name:find "cookie"
end

local function refuse_secrets(provider)
  if provider.api_key ~= nil and not secrets.is(provider.api_key) then refuse("secret", "api_key", SECRET) end
  for header, value in pairs(type(provider.headers) == "table" and provider.headers or {}) do
    if type(value) == "string" and says_secret(tostring(header)) then refuse("secret", "headers." .. header, SECRET) end
  end
  if type(provider.base_url) == "string" and provider.base_url:find "^%a+://[^/@]*:[^/@]+@" then
    refuse("secret", "base_url", SECRET)
  end
end

local function council_data(name, value)
  local source = value
  if council.is(value) then
    local text, err = value:to_json()
    if not text then refuse(err.code, "", err.message) end
    source = text
  elseif value.name == nil then
    source = { name = name }
    for key, item in pairs(value) do source[key] = item end
  end
  local data, faults = data_form.read(source)
  if #faults > 0 then refuse(faults[1].code, faults[1].path, faults[1].message) end
  return data
end

local function form_of(kind, name, value)
  if COUNCILS[kind] then return council_data(name, value) end
  if kind == "provider" then refuse_secrets(value) end
  return plain(value, "", 0)
end

-- Its text is looked through as a whole: a secret may stand where nobody expects one.
local function data_of(kind, name, value)
  local data = form_of(kind, name, value)
  local text, err = json.encode(data)
  if not text then refuse("not_serializable", "", err.message) end
  if redact.text(text) ~= text then refuse("secret", "", SECRET) end
  return data
end

--- The value as it is kept.
---@param kind string
---@param name string
---@param value any
---@return any data a JSON value; nil: it cannot be kept
---@return curia.Error? err kind `validation`; code `not_serializable`: something in it is no data; `secret`: something
--- in it is a secret
function M.encode(kind, name, value)
  local ok, result = pcall(data_of, kind, name, value)
  if ok then return result end
  if type(result) ~= "table" or not result.code then error(result, 0) end
  return nil, errors.new("validation", ("the %s '%s' cannot be shared: %s"):format(kind, name, result.message),
    { code = result.code })
end

-- ---- reading --------------------------------------------------------------------------------------

local function secret_of(data)
  if type(data) == "table" and type(data.file) == "string" then return secrets.file(data.file) end
  if type(data) == "table" and type(data.env) == "table" then return secrets.env(table.unpack(data.env)) end
  error("a secret comes from a variable or a file", 0)
end

local function restored(value)
  if type(value) ~= "table" then return value end
  if value["$secret"] ~= nil then return secret_of(value["$secret"]) end
  for key, item in pairs(value) do value[key] = restored(item) end
  return value
end

local function council_of(data)
  if type(data) ~= "table" then error("no council", 0) end
  local read, faults = data_form.read(data)
  if #faults > 0 then error(faults[1].message, 0) end
  return council.of_data(read)
end

local function value_of(entry)
  if entry.fault then error(entry.fault, 0) end
  local value = COUNCILS[entry.kind] and council_of(entry.value) or restored(entry.value)
  local fault = registries.fault(entry.kind, value)
  if fault then error(fault, 0) end
  return value
end

local function is_newer(version)
  return math.type(version) == "integer" and version > M.SCHEMA_VERSION
end

--- The value of an entry. One that cannot be used is a `registry.refusal`.
---@param entry curia.registry.Entry its value becomes the caller's
---@return any
function M.decode(entry)
  local what = ("the %s '%s' in the shared registry"):format(entry.kind, entry.name)
  if is_newer(entry.schema_version) then
    return registries.refusal(("%s is of a newer version of Curia (schema_version %d; this one knows %d)"):format(what,
      entry.schema_version, M.SCHEMA_VERSION))
  end
  local ok, value = pcall(value_of, entry)
  if ok then return value end
  return registries.refusal(("%s cannot be read: %s"):format(what, tostring(value)))
end

return M
