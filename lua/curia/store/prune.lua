--- Removes what ended long ago: workflows, jobs and runs, with all that is kept of them.
local at_rest = require "curia.store.at_rest"
local runs = require "curia.store.runs"
local schema = require "curia.store.schema"
local values = require "curia.store.values"

local M = {}

---@class curia.store.Pruned
---@field workflows integer
---@field jobs integer
---@field runs integer
---@field blobs integer

local MOST = 200 -- rows of one unit: a writer that waits does not wait for long
local PAGE = 500

-- ---- what has ended -------------------------------------------------------------------------------

---@class curia.store.Old what is removed of one kind
---@field key string[] columns
---@field table string its main table
---@field others table<string, string[]> further tables, by the columns that have the key
---@field where string what makes it old; its value is the moment

local WORKFLOWS = {
  key = { "namespace", "id" }, table = "workflows", others = { workflow_steps = { "namespace", "workflow_id" } },
  where = "finished_at < ? AND status IN ('done', 'failed', 'cancelled')",
}

-- A key that is taken for a time is taken for so long.
local JOBS = {
  key = { "job_id" }, table = "jobs", others = {},
  where = "finished_at < ? AND (unique_until IS NULL OR unique_until <= {now})",
}

-- What a job or a step has not yet taken the outcome from stays: without it, the work would be done again. So does a
-- run inside of another that is there: whoever resumes that one goes on with both.
local RUNS = {
  key = { "namespace", "run_id" }, table = "runs",
  others = { run_events = { "namespace", "run_id" }, steps = { "namespace", "run_id" } },
  where = [[coalesce(finalized_at, updated_at) < ? AND status IN ('completed', 'failed', 'cancelled', 'terminated')
    AND NOT EXISTS (SELECT 1 FROM {jobs} WHERE {jobs}.job_id = {runs}.job_id AND finished_at IS NULL)
    AND NOT EXISTS (SELECT 1 FROM {workflow_steps} WHERE {workflow_steps}.namespace = {runs}.namespace
      AND {workflow_steps}.run_id = {runs}.run_id AND {workflow_steps}.status IN ('running', 'cancelled'))
    AND NOT EXISTS (SELECT 1 FROM {runs} AS o WHERE o.namespace = {runs}.namespace
      AND o.run_id = {runs}.parent_run_id)]],
}

local function find(store, kind, before, namespace)
  local text = ("SELECT %s FROM {%s} WHERE %s"):format(table.concat(kind.key, ", "), kind.table, kind.where)
  if not namespace then return store:query(("%s LIMIT %d"):format(text, MOST), before) end
  return store:query(("%s AND namespace = ? LIMIT %d"):format(text, MOST), before, namespace)
end

local function deletion(name, columns, row, key)
  local statement = { ("DELETE FROM {%s} WHERE %s = ?"):format(name, table.concat(columns, " = ? AND ")) }
  for i, column in ipairs(key) do statement[i + 1] = row[column] end
  return statement
end

-- What somebody has begun once more since it was found stays, and undoes the unit.
local function removal(kind, rows, before)
  local unit = {}
  for _, row in ipairs(rows) do
    local main = deletion(kind.table, kind.key, row, kind.key)
    main[1], main[#main + 1], main.expect_rows = main[1] .. " AND " .. kind.where, before, 1
    unit[#unit + 1] = main
    for name, columns in pairs(kind.others) do unit[#unit + 1] = deletion(name, columns, row, kind.key) end
  end
  return unit
end

local function remove(store, kind, before, namespace)
  local count = 0
  while true do
    local rows, err = find(store, kind, before, namespace)
    if not rows then return nil, err end
    if #rows == 0 then return count end
    local done, problem = store:write(removal(kind, rows, before))
    if not done and not runs.is_lost(problem) then return nil, problem end
    if done then count = count + #rows end
  end
end

--- Removes the jobs that ended before a moment. What only they said goes with what is removed next by `ended`.
---@async
---@param store curia.Store
---@param before integer Unix ms
---@return integer? how many
---@return curia.Error?
function M.jobs(store, before)
  return remove(store, JOBS, before)
end

-- ---- content that nothing speaks of ---------------------------------------------------------------

-- By which the rows of a table can be read page after page.
local function key_of(text)
  local key = {}
  local names = text:match "PRIMARY KEY %(([^)]+)%)" or text:match "([%w_]+) TEXT PRIMARY KEY"
    or text:match "([%w_]+) {serial}"
  for name in (names or ""):gmatch "[%w_]+" do key[#key + 1] = name end
  return key
end

-- Content may be named by its hash alone.
local HASHES = { "source_hash", "spec_hash" }

local function columns_of(text)
  local columns = {}
  for column in text:gmatch "([%w_]+) {bytes}" do columns[#columns + 1] = column end
  for _, column in ipairs(HASHES) do
    if text:find(column .. " TEXT", 1, true) then columns[#columns + 1] = column end
  end
  return columns
end

-- Tables with users' data: their keys, and the names of their columns of bytes.
local function tables_of_data()
  local found = {}
  for _, step in ipairs(schema.steps) do
    for _, text in ipairs(step.statements) do
      local name = text:match "^%s*CREATE TABLE {([%w_]+)}" or text:match "^%s*ALTER TABLE {([%w_]+)}"
      local columns = columns_of(text)
      if name and name ~= "blobs" and #columns > 0 then
        found[name] = found[name] or { key = key_of(text), columns = {} }
        table.move(columns, 1, #columns, #found[name].columns + 1, found[name].columns)
      end
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

local function page_of(name, key, columns, after)
  local keys = table.concat(key, ", ")
  local where = after and ("WHERE (%s) > (?%s) "):format(keys, (", ?"):rep(#key - 1)) or ""
  return ("SELECT %s, %s FROM {%s} %sORDER BY %s LIMIT %d"):format(keys, table.concat(columns, ", "), name, where,
    keys, PAGE)
end

local function key_values(key, row)
  local list = {}
  for i, column in ipairs(key) do list[i] = row[column] end
  return list
end

local function note_table(store, name, what, used)
  local last
  while true do
    local rows, err = store:query(page_of(name, what.key, what.columns, last), table.unpack(last or {}))
    if not rows then return nil, err end
    if #rows == 0 then return true end
    for _, row in ipairs(rows) do note(store, row, what.columns, used) end
    last = key_values(what.key, rows[#rows])
  end
end

local function used_content(store)
  local used = {}
  for name, what in pairs(tables_of_data()) do
    local ok, err = note_table(store, name, what, used)
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

local function remove_content(store, before)
  local used, err = used_content(store)
  if not used then return nil, err end
  return remove_blobs(store, used, before)
end

-- Runs come last: those of a workflow or a job stay as long as it does.
local KINDS = { WORKFLOWS, JOBS, RUNS }

--- Removes the workflows, jobs and runs that ended before a moment: their rows, events, steps, and the content that
--- nothing else has.
---@async
---@param store curia.Store
---@param before integer Unix ms, not in the future
---@param namespace? string nil: all
---@return curia.store.Pruned?
---@return curia.Error? err kind `storage`, code `sealed` where what is stored cannot be read
function M.ended(store, before, namespace)
  local readable, refusal = at_rest.check(store) -- else no content would seem to be spoken of
  if not readable then return nil, refusal end
  local removed, all = { blobs = 0 }, 0
  for _, kind in ipairs(KINDS) do
    local count, err = remove(store, kind, before, namespace)
    if not count then return nil, err end
    removed[kind.table], all = count, all + count
  end
  if all == 0 then return removed end
  local err
  removed.blobs, err = remove_content(store, before)
  return removed.blobs and removed, err
end

return M
