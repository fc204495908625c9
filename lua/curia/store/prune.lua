--- Removes runs that ended long ago, with all that is kept of them.
local schema = require "curia.store.schema"
local values = require "curia.store.values"

local M = {}

---@class curia.store.Pruned
---@field runs integer
---@field blobs integer

local MOST = 200 -- rows of one unit: a writer that waits does not wait for long
local PAGE = 500

local ENDED = "('completed', 'failed', 'cancelled', 'terminated')"

-- ---- runs -----------------------------------------------------------------------------------------

local function old_runs(store, before, namespace)
  return store:query(([[SELECT namespace, run_id FROM {runs} WHERE status IN %s
    AND coalesce(finalized_at, updated_at) < ? AND (? = '' OR namespace = ?) LIMIT %d]]):format(ENDED, MOST),
    before, namespace or "", namespace or "")
end

local function removal(runs)
  local unit = {}
  for _, run in ipairs(runs) do
    for _, name in ipairs { "run_events", "steps", "runs" } do
      unit[#unit + 1] = {
        ("DELETE FROM {%s} WHERE namespace = ? AND run_id = ?"):format(name), run.namespace, run.run_id,
      }
    end
  end
  return unit
end

local function remove_runs(store, before, namespace)
  local count = 0
  while true do
    local runs, err = old_runs(store, before, namespace)
    if not runs then return nil, err end
    if #runs == 0 then return count end
    local done, problem = store:write(removal(runs))
    if not done then return nil, problem end
    count = count + #runs
  end
end

-- ---- content that nothing speaks of ---------------------------------------------------------------

-- Tables with users' data: the names of their columns of bytes.
local function columns_of_data()
  local found = {}
  for _, step in ipairs(schema.steps) do
    for _, text in ipairs(step.statements) do
      local name = text:match "^%s*CREATE TABLE {([%w_]+)}" or text:match "^%s*ALTER TABLE {([%w_]+)}"
      for column in text:gmatch "([%w_]+) {bytes}" do
        if name and name ~= "blobs" then
          found[name] = found[name] or {}
          table.insert(found[name], column)
        end
      end
      -- Content may be named by its hash alone.
      if name and text:find "source_hash TEXT" then table.insert(found[name], "source_hash") end
      if name and text:find "spec_hash TEXT" then table.insert(found[name], "spec_hash") end
    end
  end
  return found
end

local function note(store, row, columns, used)
  for _, column in ipairs(columns) do
    local value = row[column]
    if value and column:find "_hash$" then used[value] = true
    elseif value then
      for _, hash in ipairs(values.hashes(store.unseal and store.unseal(value) or value)) do used[hash] = true end
    end
  end
end

local function note_table(store, name, columns, used)
  local text = ("SELECT {row} AS at, %s FROM {%s} WHERE {row} > ? ORDER BY {row} LIMIT %d"):format(
    table.concat(columns, ", "), name, PAGE)
  local last = -1
  while true do
    local rows, err = store:query(text, last)
    if not rows then return nil, err end
    if #rows == 0 then return true end
    for _, row in ipairs(rows) do note(store, row, columns, used) end
    last = rows[#rows].at
  end
end

local function used_content(store)
  local used = {}
  for name, columns in pairs(columns_of_data()) do
    local ok, err = note_table(store, name, columns, used)
    if not ok then return nil, err end
  end
  return used
end

-- What is stored, or stored again, after `before` may belong to rows that were written since the tables were read.
local function remove_blobs(store, used, before)
  local rows, err = store:query("SELECT hash FROM {blobs} WHERE inserted_at < ?", before)
  if not rows then return nil, err end
  local unit, count = {}, 0
  for i, row in ipairs(rows) do
    if not used[row.hash] then
      unit[#unit + 1] = { "DELETE FROM {blobs} WHERE hash = ? AND inserted_at < ?", row.hash, before }
    end
    if #unit == MOST or i == #rows and #unit > 0 then
      local done, problem = store:write(unit)
      if not done then return nil, problem end
      count, unit = count + #unit, {}
    end
  end
  return count
end

--- Removes the runs that ended before a moment: their rows, events, steps, and the content that nothing else has.
---@async
---@param store curia.Store
---@param before integer Unix ms, not in the future
---@param namespace? string nil: all
---@return curia.store.Pruned?
---@return curia.Error?
function M.runs(store, before, namespace)
  local runs, err = remove_runs(store, before, namespace)
  if not runs then return nil, err end
  if runs == 0 then return { runs = 0, blobs = 0 } end
  local used, blobs
  used, err = used_content(store)
  if not used then return nil, err end
  blobs, err = remove_blobs(store, used, before)
  return blobs and { runs = runs, blobs = blobs }, err
end

return M
