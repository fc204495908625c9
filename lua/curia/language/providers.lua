--- From a provider's name to an entry that can be called: adapter loaded, address settled, key wrapped.
local adapters = require "curia.adapters"
local check = require "curia.language.check"
local fields = require "curia.language.fields"
local redact = require "curia.redact"
local secrets = require "curia.language.secrets"
local suggest = require "curia.suggest"

local M = {}

---@class curia.Provider
---@field name string
---@field adapter table
---@field adapter_name string
---@field base_url? string without a slash at its end
---@field api_key? curia.Secret
---@field headers? table<string, string|curia.Secret>
---@field limits? {concurrency?: integer, rpm?: integer, tpm?: integer}
---@field model? string of members that name none
---@field script? any what a scripted provider answers
---@field extra? table merged into every body
---@field origin table the configuration that it was made of

-- A module on the path is an adapter too, without being added to the list.
local function load_adapter(name)
  if not name:find("^[%a_][%w_]*$") then return nil end
  local module = "curia.adapters." .. name
  local found, adapter = pcall(require, module)
  if found then return adapter end
  if tostring(adapter):find(("module '%s' not found"):format(module), 1, true) then return nil end
  error(adapter, 0)
end

local function find_adapter(adapter)
  if type(adapter) == "table" then return adapter, adapter.name or "custom" end
  return adapters.get(adapter) or load_adapter(adapter), adapter
end

-- OLLAMA_HOST may be a bare host, host:port, or the address that the server listens on.
local function ollama_url(host)
  local scheme, rest = host:match("^(%a+)://(.*)$")
  rest = (rest or host):gsub("^0%.0%.0%.0", "127.0.0.1")
  local authority, path = rest:match("^([^/]*)(.*)$")
  if not authority:find(":%d+$") and not scheme then authority = authority .. ":11434" end
  return ("%s://%s%s"):format(scheme or "http", authority, path)
end

local function base_url(raw)
  local from_env = raw.base_url_env and os.getenv(raw.base_url_env)
  local url = from_env and from_env:find("%S") and from_env:match("^%s*(.-)%s*$") or raw.base_url
  if not url then return nil end
  if raw.adapter == "ollama" then url = ollama_url(url) end
  return (url:gsub("/+$", ""))
end

-- Secrets that were written where they are not looked for: in headers, in an address.
local function remember_secrets(entry)
  for header, value in pairs(entry.headers or {}) do
    local name = header:lower()
    if name:find("auth") or name:find("key") or name:find("token") or name:find("cookie") then redact.add(value) end
  end
  redact.add((entry.base_url or ""):match("^%a+://[^/@]*:([^/@]+)@"))
end

local function build(name, raw, adapter, adapter_name)
  local entry = {}
  for key, value in pairs(raw) do entry[key] = value end
  entry.name, entry.adapter, entry.adapter_name, entry.origin = name, adapter, adapter_name, raw
  entry.base_url, entry.base_url_env = base_url(raw), nil
  entry.api_key = raw.api_key ~= nil and secrets.wrap(raw.api_key) or nil
  remember_secrets(entry)
  return entry
end

-- Entries by registry, remade when the registry has changed.
local cache = setmetatable({}, { __mode = "k" })

local function entries_of(registry)
  local cached = cache[registry]
  if not cached or cached.generation ~= registry.generation then
    cached = { generation = registry.generation, entries = {} }
    cache[registry] = cached
  end
  return cached.entries
end

local function unknown(name, registry, message)
  return nil, message or suggest.message("provider", name, registry:list("provider"))
end

-- What was registered at run time is judged where it is used.
local function first_fault(name, raw)
  local faults = check.faults()
  check.record(fields.provider, raw, "", ("provider '%s'"):format(name), faults)
  return faults[1] and faults[1].message
end

local function make(name, raw)
  local fault = first_fault(name, raw)
  if fault then return nil, fault end
  if raw.adapter == nil then return nil, ("provider '%s' has no adapter"):format(name) end
  local adapter, adapter_name = find_adapter(raw.adapter)
  if not adapter then
    return nil, ("provider '%s': %s"):format(name, suggest.message("adapter", raw.adapter, adapters.names))
  end
  return build(name, raw, adapter, adapter_name)
end

--- The entry of a provider; the same table for everybody until the registry changes.
---@param name string
---@param registry curia.Registry
---@return curia.Provider? entry
---@return string? message why there is none
function M.entry(name, registry)
  local entries = entries_of(registry)
  if entries[name] then return entries[name] end
  local raw, message = registry:lookup("provider", name)
  if not raw then return unknown(name, registry, message) end
  local entry
  entry, message = make(name, raw)
  entries[name] = entry
  return entry, message
end

--- What would make a provider available, for messages: "OPENAI_API_KEY".
---@param name string
---@param registry curia.Registry
---@return string?
function M.needs(name, registry)
  local raw = registry:lookup("provider", name)
  if not raw then return nil end
  if raw.api_key == nil then return raw.base_url_env end
  return secrets.is(raw.api_key) and raw.api_key.source == "env" and table.concat(raw.api_key.names, " or ") or nil
end

--- Whether a provider can be asked as things stand: it has a key, or needs none and its address was given.
---@param name string
---@param registry curia.Registry
---@return boolean
function M.available(name, registry)
  local raw = registry:lookup("provider", name)
  if not raw then return false end
  if raw.api_key ~= nil then return secrets.available(raw.api_key) end
  return raw.base_url_env == nil or (os.getenv(raw.base_url_env) or "") ~= ""
end

return M
