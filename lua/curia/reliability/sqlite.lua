--- A store of reliability in a database: what one process learns, the next one knows.
local bound = require "curia.store.bound"
local clock = require "curia.core.clock"
local config = require "curia.config"
local reliability = require "curia.reliability"
local system = require "curia.core.system"

local M = {}

---@class curia.reliability.Store
---@field record fun(member: string, bucket: string, correct: boolean): true?, curia.Error?
---@field score fun(member: string, bucket: string): number?, curia.Error?

-- What the questions were about is users' data: it is found by its hash.
local ADD = [[INSERT INTO {reliability} (namespace, member, bucket_hash, bucket, successes, failures, updated_at)
  VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (namespace, member, bucket_hash) DO UPDATE SET
  successes = {reliability}.successes + excluded.successes, failures = {reliability}.failures + excluded.failures,
  updated_at = excluded.updated_at]]

local READ = "SELECT successes, failures FROM {reliability} WHERE namespace = ? AND member = ? AND bucket_hash = ?"

local function namespace()
  return config.shared():get "namespace"
end

local function record(store, member, bucket, correct)
  local unit = {}
  local packed = store:pack(unit, bucket)
  unit[#unit + 1] = {
    ADD, namespace(), member, system.sha256(bucket), packed, correct and 1 or 0, correct and 0 or 1, clock.wall_ms(),
  }
  local done, err = store:write(unit)
  return done and true, err
end

local function score(store, member, bucket)
  local rows, err = store:query(READ, namespace(), member, system.sha256(bucket))
  local row = rows and rows[1]
  return row and reliability.succession(row.successes, row.failures), err
end

local FUNCTIONS = { record = record, score = score }

--- The one in a store of its own.
---@param url string
---@param prefix? string
---@return curia.reliability.Store
function M.at(url, prefix)
  return bound.to(FUNCTIONS, url, prefix)
end

local configured = bound.to(FUNCTIONS)

--- In the configured store.
M.record, M.score = configured.record, configured.score

return M
