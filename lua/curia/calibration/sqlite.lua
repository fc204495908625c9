--- Outcomes in a database: what one process learns, the next one knows.
local bound = require "curia.store.bound"
local clock = require "curia.core.clock"
local config = require "curia.config"

local M = {}

---@class curia.calibration.Store its functions are async; they give `nil, err` of kind `storage` when it is down
---@field record fun(id: string, confidence: number, correct: boolean, most: integer): true?, curia.Error?
---@field version fun(id: string): string?, curia.Error?
---@field outcomes fun(id: string, most: integer): {x: number, y: integer}[]?, curia.Error?
---@field forget fun(id?: string): true?, curia.Error?

local ADD = "INSERT INTO {calibration} (namespace, member, confidence, correct, inserted_at) VALUES (?, ?, ?, ?, ?)"
local LAST = "SELECT id, inserted_at FROM {calibration} WHERE namespace = ? AND member = ? ORDER BY id DESC LIMIT 1"
local READ = "SELECT confidence, correct FROM {calibration} WHERE namespace = ? AND member = ? ORDER BY id DESC LIMIT ?"
local FORGET = "DELETE FROM {calibration} WHERE namespace = ? AND (member = ? OR ? IS NULL)"

local function namespace()
  return config.shared():get "namespace"
end

local function record(store, id, confidence, correct)
  local done, err = store:execute(ADD, namespace(), id, confidence, correct and 1 or 0, clock.wall_ms())
  return done and true, err
end

-- A number alone may come again once its row was deleted.
local function version(store, id)
  local rows, err = store:query(LAST, namespace(), id)
  if not rows then return nil, err end
  return rows[1] and ("%d at %d"):format(rows[1].id, rows[1].inserted_at) or "none"
end

local function outcomes(store, id, most)
  local rows, err = store:query(READ, namespace(), id, most)
  if not rows then return nil, err end
  for i, row in ipairs(rows) do rows[i] = { x = row.confidence, y = row.correct } end
  return rows
end

local function forget(store, id)
  local done, err = store:execute(FORGET, namespace(), id, id)
  return done and true, err
end

local FUNCTIONS = { record = record, version = version, outcomes = outcomes, forget = forget }

local elsewhere = {} -- by URL and prefix: a curve is known for as long as its store is the same

--- The one in a store of its own.
---@param url string
---@param prefix? string
---@return curia.calibration.Store
function M.at(url, prefix)
  local key = url .. "\0" .. (prefix or "")
  elsewhere[key] = elsewhere[key] or bound.to(FUNCTIONS, url, prefix)
  return elsewhere[key]
end

--- In the configured store.
---@type curia.calibration.Store
M.configured = bound.to(FUNCTIONS)

return M
