--- What one process knows of a shared registry: entries as they were read last, and the values made of them.
--
-- An entry that has not changed keeps its value: a council is opened once, and who has it recognises it.
local entries = require "curia.registry.entry"
local json = require "curia.json"
local registries = require "curia.registry"

local M = {}

---@class curia.registry.Copy
---@field known table<string, table<string, {text: string, value: any}>> by kind and name
local Copy = {}
Copy.__index = Copy

local function empty()
  local by_kind = {}
  for _, kind in ipairs(registries.kinds) do by_kind[kind] = {} end
  return by_kind
end

---@return curia.registry.Copy
function M.new()
  return setmetatable({ known = empty() }, Copy)
end

-- An entry goes through its text: whatever a backend gives, nothing but data comes in.
local function known_of(kind, name, entry)
  local text, err = json.encode {
    kind = kind, name = name, value = entry.value, schema_version = entry.schema_version, fault = entry.fault,
  }
  if text then return { text = text, value = entries.decode(assert(json.decode(text))) } end
  return { text = err.message, value = entries.decode { kind = kind, name = name, fault = err.message } }
end

-- The same as before where nothing has changed.
local function renewed(self, kind, name, entry)
  local old, new = self.known[kind][name], entry and known_of(kind, name, entry)
  return old and new and old.text == new.text and old or new
end

--- Takes over one entry.
---@param kind string
---@param name string
---@param entry? {value: any, schema_version?: integer, fault?: string} nil: it is gone
---@return boolean changed
function Copy:put(kind, name, entry)
  local old = self.known[kind][name]
  self.known[kind][name] = renewed(self, kind, name, entry)
  return self.known[kind][name] ~= old
end

-- Of a newer version there may be kinds that this one does not know.
local function is_entry(self, entry)
  return type(entry) == "table" and self.known[entry.kind] and type(entry.name) == "string"
end

local function count(by_kind)
  local n = 0
  for _, by_name in pairs(by_kind) do
    for _ in pairs(by_name) do n = n + 1 end
  end
  return n
end

--- Takes over all entries; others are gone.
---@param list curia.registry.Entry[]
---@return boolean changed
function Copy:replace(list)
  local known, changed = empty(), false
  for _, entry in ipairs(list) do
    if is_entry(self, entry) then
      local kind, name = entry.kind, entry.name
      known[kind][name] = renewed(self, kind, name, entry)
      changed = changed or known[kind][name] ~= self.known[kind][name]
    end
  end
  changed = changed or count(known) ~= count(self.known)
  self.known = known
  return changed
end

--- The values, as `Registry:share` takes them.
---@return table<string, table<string, any>> by kind and name
function Copy:values()
  local values = empty()
  for kind, by_name in pairs(self.known) do
    for name, known in pairs(by_name) do values[kind][name] = known.value end
  end
  return values
end

return M
