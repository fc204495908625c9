--- Jobs by the clock: each firing of a cron entry enqueues one, whichever of many processes sees it first.
--
-- Firing moves the entry on to its next time in the same unit that inserts the job, and only if it still stands at the
-- time that has come. What was missed while no process ran is made good once, not once for each time.
local clock = require "curia.core.clock"
local cron = require "curia.jobs.cron"
local rows = require "curia.jobs.rows"
local store_errors = require "curia.store.runs"
local system = require "curia.core.system"

local M = {}

---@class curia.Schedule
---@field name string
---@field cron string
---@field next_at integer when it fires next, Unix ms
---@field last_at? integer when it has fired last
---@field job table fields of the jobs that it makes

-- A process that starts tells its entries again: what has not changed keeps its time.
local PUT = [[INSERT INTO {schedules} (name, cron, job, next_at, inserted_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (name) DO UPDATE SET job = excluded.job, updated_at = excluded.updated_at, cron = excluded.cron,
  next_at = CASE WHEN {schedules}.cron = excluded.cron THEN {schedules}.next_at ELSE excluded.next_at END]]

--- Makes or replaces an entry.
---@async
---@param store curia.Store
---@param name string
---@param entry curia.jobs.Cron
---@param job table fields of a job's row
---@return true?
---@return curia.Error?
function M.put(store, name, entry, job)
  local unit, now = {}, clock.wall_ms()
  local packed = store:pack(unit, job)
  unit[#unit + 1] = { PUT, name, entry.text, packed, entry:next(now), now, now }
  local done, err = store:write(unit)
  return done and true, err
end

--- Takes an entry away.
---@async
---@param store curia.Store
---@param name string
---@return boolean? existed
---@return curia.Error?
function M.remove(store, name)
  local done, err = store:execute("DELETE FROM {schedules} WHERE name = ?", name)
  if not done then return nil, err end
  return done.changes > 0
end

local function unpacked(store, found)
  for _, row in ipairs(found) do
    local job, err = store:unpack(row.job)
    if err then return nil, err end
    row.job = job
  end
  return found
end

--- All entries, by name.
---@async
---@param store curia.Store
---@return curia.Schedule[]?
---@return curia.Error?
function M.list(store)
  local found, err = store:query "SELECT name, cron, next_at, last_at, job FROM {schedules} ORDER BY name"
  if not found then return nil, err end
  return unpacked(store, found)
end

local MOVE_ON = "UPDATE {schedules} SET next_at = ?, last_at = ?, updated_at = ? WHERE name = ? AND next_at = ?"

local function row_of(entry, now)
  local row = {
    job_id = system.uuid7(), run_id = system.uuid7(), state = "available", attempt = 0, fence = 0,
    schedule_at = entry.next_at, inserted_at = now, updated_at = now,
  }
  for name, value in pairs(entry.job) do row[name] = value end
  return row
end

-- Another process may have been faster: then nothing of this happens.
local function fire(store, entry, now)
  local unit = {}
  unit[1] = {
    MOVE_ON, expect_rows = 1, assert(cron.parse(entry.cron)):next(now), entry.next_at, now, entry.name, entry.next_at,
  }
  rows.insert(store, unit, row_of(entry, now))
  local done, err = store:write(unit)
  if done then return true end
  if store_errors.is_lost(err) then return false end
  return nil, err
end

local DUE = "SELECT name, cron, next_at, job FROM {schedules} WHERE next_at <= ? ORDER BY next_at"

--- Fires what is due.
---@async
---@param store curia.Store
---@return integer? fired by this process
---@return curia.Error?
function M.fire_due(store)
  local now = clock.wall_ms()
  local due, err = store:query(DUE, now)
  if not due then return nil, err end
  due, err = unpacked(store, due)
  if not due then return nil, err end
  local count = 0
  for _, entry in ipairs(due) do
    local fired, problem = fire(store, entry, now)
    if fired == nil then return nil, problem end
    if fired then count = count + 1 end
  end
  return count
end

return M
