--- What the specs of jobs share: a store in a folder of its own.
local migrate = require "curia.store.migrate"
local stores = require "curia.store"
local support = require "spec.store.support"

local M = {}

--- Opens a store with its tables. `store.folder` is its folder; `M.close(store)` closes it and takes all away.
function M.store()
  local folder = support.folder()
  local store = assert(stores.open(folder.url "test.db"))
  assert(migrate.up(store))
  store.folder = folder
  return store
end

--- The same tables once more, as another process has them.
function M.again(store)
  return assert(stores.open(store.url))
end

function M.close(store)
  store:close()
  store.folder.remove()
end

local count = 0

--- Fields of a row, all that must be there.
function M.row(more)
  count = count + 1
  local row = {
    job_id = ("job-%04d"):format(count), namespace = "default", queue = "default", state = "available", priority = 0,
    council = "panel", run_id = "run-" .. count, attempt = 0, max_attempts = 5, schedule_at = 1, fence = 0,
    inserted_at = 1, updated_at = 1, input = { question = "Why?" },
  }
  for name, value in pairs(more or {}) do row[name] = value end
  return row
end

return M
