--- Brings the tables of a store to what this version expects: one transaction for each step, forward only.
local dialect = require "curia.store.dialect"
local errors = require "curia.errors"
local schema = require "curia.store.schema"

local M = {}

---@class curia.store.Status
---@field current integer steps that the store has taken; 0: it has no tables of Curia's
---@field latest integer steps that this version knows
---@field pending string[] what the steps that are missing are about

local function create_meta(store)
  return store:write {
    { "CREATE TABLE IF NOT EXISTS {meta} (key TEXT PRIMARY KEY, value TEXT NOT NULL)" },
    { "INSERT INTO {meta} (key, value) VALUES ('schema', '0') ON CONFLICT (key) DO NOTHING" },
  }
end

local function has_meta(store)
  local rows, err = store:query(
    "SELECT count(*) AS n FROM sqlite_schema WHERE type = 'table' AND name = ?", store:sql "{meta}")
  return rows and rows[1].n == 1, err
end

local function current_of(store)
  local exists, err = has_meta(store)
  if not exists then return err == nil and 0 or nil, err end
  local rows, problem = store:query "SELECT value FROM {meta} WHERE key = 'schema'"
  if not rows then return nil, problem end
  return rows[1] and math.tointeger(tonumber(rows[1].value)) or 0
end

local function too_new(current)
  return errors.new("storage", ("the store's tables are of a newer version (step %d, this version knows %d)"):format(
    current, #schema.steps), { code = "newer_schema" })
end

--- Where the store stands.
---@async
---@param store curia.Store
---@return curia.store.Status?
---@return curia.Error?
function M.status(store)
  local current, err = current_of(store)
  if not current then return nil, err end
  local pending = {}
  for i = current + 1, #schema.steps do pending[#pending + 1] = schema.steps[i].about end
  return { current = current, latest = #schema.steps, pending = pending }
end

-- The step's number changes first: of two processes that start together one finds it changed, and nothing done.
local function step_unit(number)
  local unit = { {
    "UPDATE {meta} SET value = ? WHERE key = 'schema' AND value = ?", tostring(number), tostring(number - 1),
    expect_rows = 1,
  } }
  for i, text in ipairs(schema.steps[number].statements) do unit[i + 1] = { text } end
  return unit
end

local function take_step(store, number)
  local done, err = store:write(step_unit(number))
  if done then return true end
  local current = err.code == "unexpected_rows" and current_of(store)
  return current and current >= number, err -- another process has taken it meanwhile
end

--- Takes all steps that are missing; safe when several processes do at once. A store that lacks none is only read:
--- opening it waits for nobody who writes.
---@async
---@param store curia.Store
---@return curia.store.Status?
---@return curia.Error? err code `newer_schema` when a newer Curia has been here
function M.up(store)
  local current, err = current_of(store)
  if current == 0 then
    local made, problem = create_meta(store)
    if not made then return nil, problem end
  end
  if not current then return nil, err end
  if current > #schema.steps then return nil, too_new(current) end
  for number = current + 1, #schema.steps do
    local done, problem = take_step(store, number)
    if not done then return nil, problem end
  end
  return M.status(store)
end

--- Whether the tables are what this version expects; changes nothing.
---@async
---@param store curia.Store
---@return curia.store.Status?
---@return curia.Error? err code `newer_schema`, or `readonly` when steps are missing
function M.check(store)
  local status, err = M.status(store)
  if not status then return nil, err end
  if status.current > status.latest then return nil, too_new(status.current) end
  if #status.pending == 0 then return status end
  return nil, errors.new("storage", store.url .. ": its tables are of an older version, and cannot be brought up to "
    .. "date since it is read-only", { code = "readonly" })
end

--- Removes all tables of Curia's, with everything in them.
---@async
---@param store curia.Store
---@return true?
---@return curia.Error?
function M.down(store)
  local unit = {}
  for i, name in ipairs(dialect.tables) do unit[i] = { ("DROP TABLE IF EXISTS {%s}"):format(name) } end
  local done, err = store:write(unit)
  return done and true, err
end

return M
