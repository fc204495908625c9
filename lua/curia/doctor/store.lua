--- The store: where it is, whether its tables are up to date, whether it is whole.
local config = require "curia.config"
local gaps = require "curia.store.gaps"
local migrate = require "curia.store.migrate"
local registry = require "curia.registry.choice"
local shared = require "curia.store.shared"
local stores = require "curia.store"
local uv = require "luv"
local words = require "curia.view.words"

local M = {}

local function fact(name, value, good)
  return { name = name, value = value, good = good }
end

local function engine_fact(store)
  local rows = store:query "SELECT sqlite_version() AS version"
  return fact("SQLite", rows and rows[1].version or "?")
end

local function tables_fact(store)
  local status, err = migrate.status(store)
  if not status then return fact("tables", err.message, false) end
  local text = ("step %d of %d"):format(status.current, status.latest)
  if status.current > status.latest then return fact("tables", text .. ": of a newer Curia", false) end
  return fact("tables", #status.pending > 0 and text .. "; the next run takes the rest" or text, true)
end

local function integrity_fact(store)
  local whole, err = store.db:check()
  return fact("integrity", whole and "no damage found" or err.message, whole == true)
end

-- Of those beyond some the number is enough.
local MOST_NAMED = 5

local function gaps_fact(store)
  local found, err = gaps.all(store)
  if not found then return fact("records", err.message, false) end
  if #found == 0 then return fact("records", "no event is missing", true) end
  local ids = {}
  for i = 1, math.min(#found, MOST_NAMED) do ids[i] = found[i].run_id end
  return fact("records", ("%s with events missing: %s%s"):format(words.counted(#found, "run"), table.concat(ids, ", "),
    #found > MOST_NAMED and ", ..." or ""), false)
end

local function size_of(path)
  local stat = uv.fs_stat(path)
  return stat and ("%.1f MB"):format(stat.size / 1e6) or "?"
end

local function examined(url)
  local store, err = stores.open(url, { prefix = config.shared():get "prefix", read_only = true })
  if not store then return { fact("store", err.message, false) } end
  local path = stores.path(url)
  local facts = {
    fact("store", ("%s (%s)"):format(url, path and size_of(path) or "in memory"), true), engine_fact(store),
    tables_fact(store), integrity_fact(store), gaps_fact(store),
  }
  store:close()
  return facts
end

local function store_facts()
  local url, err = shared.url(config.shared())
  if not url then return { fact("store", err.message) } end
  err = shared.absence(url)
  if err then return { fact("store", err.message) } end
  return examined(url)
end

--- What there is to say of the configured store, which is not made by looking, and of what else is kept where.
---@async
---@return curia.doctor.Fact[]
function M.facts()
  local facts = store_facts()
  facts[#facts + 1] = fact("registry", registry.describe(config.shared():get "registry"))
  return facts
end

return M
