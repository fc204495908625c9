--- A shared registry in a database: the processes that have the file see what each other has registered.
local bound = require "curia.store.bound"
local clock = require "curia.core.clock"
local config = require "curia.config"
local system = require "curia.core.system"
local user_code = require "curia.engine.user_code"

local M = {}

---@class curia.registry.Backend see `curia.registry.choice`
---@field put fun(kind: string, name: string, value: any, schema_version: integer): true?, curia.Error?
---@field get fun(kind: string, name: string): curia.registry.Entry?, curia.Error?
---@field delete fun(kind: string, name: string): boolean?, curia.Error?
---@field all fun(): curia.registry.Entry[]?, curia.Error?
---@field reset fun(): true?, curia.Error?
---@field version? fun(): any, curia.Error?

local PUT = [[INSERT INTO {registry} (namespace, kind, name, schema_version, value, updated_at)
  VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (namespace, kind, name) DO UPDATE SET
  schema_version = excluded.schema_version, value = excluded.value, updated_at = excluded.updated_at]]

local COLUMNS = "SELECT kind, name, schema_version, value FROM {registry} WHERE namespace = ?"

-- A time tells neither what was removed nor two changes within a millisecond: each change has a mark of its own.
local MARK = [[INSERT INTO {meta} (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value]]

local backend = {}

local function namespace()
  return config.shared():get "namespace"
end

local function mark_key()
  return "registry:" .. namespace()
end

-- Changes a unit that changes the registry, so that everybody sees that it has changed.
local function write(store, unit)
  unit[#unit + 1] = { MARK, mark_key(), system.uuid7() }
  return store:write(unit)
end

function backend.put(store, kind, name, value, schema_version)
  local unit = {}
  local packed = store:pack(unit, value)
  unit[#unit + 1] = { PUT, namespace(), kind, name, schema_version, packed, clock.wall_ms() }
  local done, err = write(store, unit)
  return done and true, err
end

-- A row that is damaged spoils no other.
local function entry_of(store, row)
  local value, err = user_code.call("the row", store.unpack, store, row.value)
  return {
    kind = row.kind, name = row.name, schema_version = row.schema_version, value = value, fault = err and err.message,
  }
end

function backend.get(store, kind, name)
  local rows, err = store:query(COLUMNS .. " AND kind = ? AND name = ?", namespace(), kind, name)
  return rows and rows[1] and entry_of(store, rows[1]), err
end

function backend.all(store)
  local rows, err = store:query(COLUMNS, namespace())
  if not rows then return nil, err end
  local entries = {}
  for i, row in ipairs(rows) do entries[i] = entry_of(store, row) end
  return entries
end

function backend.delete(store, kind, name)
  local done, err = write(store, {
    { "DELETE FROM {registry} WHERE namespace = ? AND kind = ? AND name = ?", namespace(), kind, name },
  })
  return done and done[1].changes > 0, err
end

function backend.reset(store)
  local done, err = write(store, { { "DELETE FROM {registry} WHERE namespace = ?", namespace() } })
  return done and true, err
end

function backend.version(store)
  local rows, err = store:query("SELECT value FROM {meta} WHERE key = ?", mark_key())
  return rows and (rows[1] and rows[1].value or ""), err
end

--- The one in the configured store, or in a store of its own.
---@param url? string
---@param prefix? string
---@return curia.registry.Backend
function M.at(url, prefix)
  return bound.to(backend, url, prefix)
end

return M
