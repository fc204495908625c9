--- Finding and listing runs in the store.
local errors = require "curia.errors"
local rows = require "curia.store.runs"
local shared = require "curia.store.shared"
local stored_run = require "curia.recorder.stored_run"

local M = {}

--- A stored run. Where nothing is stored, the run is not known.
---@async
---@param id string
---@param namespace string
---@param conf? curia.Config
---@return curia.StoredRun?
---@return curia.Error? err kind `unknown_run`, or `storage`
function M.find(id, namespace, conf)
  local store, err = shared.known(conf)
  if err then return nil, err end
  if not store then return nil, errors.new("unknown_run", "there is no run " .. tostring(id)) end
  return M.from(store, tostring(id), namespace)
end

--- A run of a store.
---@async
---@param store curia.Store
---@param id string
---@param namespace string
---@return curia.StoredRun?
---@return curia.Error? err kind `unknown_run`, or `storage`
function M.from(store, id, namespace)
  local row, err = rows.get(store, namespace, id)
  return row and stored_run.new(store, row), err
end

---@class curia.recorder.Filter
---@field namespace string
---@field status? string
---@field group? string
---@field council? string
---@field since? integer Unix ms
---@field limit? integer
---@field inside? boolean those that are part of another run too

local CONDITIONS = {
  { "status", "status = ?" }, { "group", "group_name = ?" }, { "council", "council = ?" },
  { "since", "inserted_at >= ?" },
}

local function conditions(filter)
  local texts, values = { "namespace = ?" }, { filter.namespace }
  for _, condition in ipairs(CONDITIONS) do
    if filter[condition[1]] ~= nil then
      texts[#texts + 1], values[#values + 1] = condition[2], filter[condition[1]]
    end
  end
  if not filter.inside then texts[#texts + 1] = "parent_run_id IS NULL" end
  return table.concat(texts, " AND "), values
end

local COLUMNS = [[namespace, run_id, group_name, council, status, durability, incarnation, parent_run_id, started_at,
  finalized_at, inserted_at, input, options, usage, cost]]

local function unpack_row(store, row)
  for _, name in ipairs { "input", "options", "usage" } do
    local value, err
    if row[name] then value, err = store:unpack(row[name]) end
    if err then return nil, err end
    row[name] = value
  end
  row.offline, row.options = row.options and row.options.offline, nil
  return row
end

--- The rows of runs in short, newest first: with `input` and `usage` as values, and `offline` where it was.
---@async
---@param store curia.Store
---@param filter curia.recorder.Filter
---@return table[]?
---@return curia.Error?
function M.rows(store, filter)
  local where, values = conditions(filter)
  values[#values + 1] = filter.limit or math.maxinteger
  local found, err = store:query(([[SELECT %s FROM {runs} WHERE %s ORDER BY inserted_at DESC, run_id DESC
    LIMIT ?]]):format(COLUMNS, where), table.unpack(values))
  if not found then return nil, err end
  for _, row in ipairs(found) do
    local ok, problem = unpack_row(store, row)
    if not ok then return nil, problem end
  end
  return found
end

--- The states of stored runs, newest first.
---@async
---@param filter curia.recorder.Filter
---@param conf? curia.Config
---@return table[]?
---@return curia.Error?
function M.list(filter, conf)
  local store, err = shared.known(conf)
  if not store then return err == nil and {} or nil, err end
  local states, problem = M.rows(store, filter)
  for i, row in ipairs(states or {}) do states[i] = stored_run.state_of(row) end
  return states, problem
end

return M
