--- The store that the commands look into: the configured one. Looking does not make it.
local config = require "curia.config"
local errors = require "curia.errors"
local gaps = require "curia.store.gaps"
local reading = require "curia.recorder.reading"
local shared = require "curia.store.shared"
local words = require "curia.view.words"

local M = {}

--- Opens the store.
---@async
---@return curia.Store?
---@return curia.Error?
function M.open()
  local url, err = shared.url(config.shared())
  if url then err = shared.absence(url) end
  if err then return nil, err end
  return shared.of(url, config.shared():get "prefix")
end

local function newest(store, namespace)
  local rows, err = reading.rows(store, { namespace = namespace, limit = 1 })
  if not rows then return nil, err end
  if rows[1] then return rows[1].run_id end
  return nil, errors.new("unknown_run", "no run is stored yet")
end

--- A stored run. "last" is the newest.
---@async
---@param store curia.Store
---@param id string
---@return curia.StoredRun?
---@return curia.Error?
function M.find(store, id)
  local namespace, err = config.shared():get "namespace", nil
  if id == "last" then id, err = newest(store, namespace) end
  if not id then return nil, err end
  return reading.from(store, id, namespace)
end

--- What a run's record lacks, for people.
---@async
---@param run curia.StoredRun
---@return string? text nil: it is whole
---@return curia.Error?
function M.missing(run)
  local gap, err = gaps.of(run.store, run.row)
  if not gap then return nil, err end
  return ("%d of %s are missing"):format(gap.missing, words.counted(gap.expected, "event"))
end

--- Says on standard error what a run's record lacks.
---@async
---@param run curia.StoredRun
---@return true?
---@return curia.Error?
function M.warn(run)
  local missing, err = M.missing(run)
  if missing then io.stderr:write(("curia: the record of run %s has a gap: %s\n"):format(run.id, missing)) end
  return not err or nil, err
end

return M
