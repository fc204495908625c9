--- Durable runs that die: at a unit of work of their own choosing, before it is committed or right after, as if their
--- process had been killed there. Another process then takes them up.
local config = require "curia.config"
local curia = require "curia"
local json = require "curia.json"
local resuming = require "curia.durable.resume"
local rows = require "curia.store.runs"
local shared = require "curia.store.shared"
local stores = require "spec.store.support"

local M = {}

--- A store in a folder of its own, for the configured one; `place:close()` takes all away.
function M.place()
  local folder = stores.folder()
  local place = { folder = folder, url = folder.url "runs.db" }
  assert(config.shared():set("call", { store = place.url }))
  function place.close()
    shared.close()
    folder.remove()
  end
  return place
end

local DEAD = { kind = "storage", code = "unexpected_rows", message = "the process has died" }

--- From now on the `number`th unit that is written is the last: it is committed, or not even that.
---@param store curia.Store
---@param number integer
---@param committed boolean
function M.die_at(store, number, committed)
  local count = 0
  function store.write(self, unit)
    count = count + 1
    if count < number then return getmetatable(store).write(self, unit) end
    if count == number and committed then assert(getmetatable(store).write(self, unit)) end
    return nil, DEAD
  end
end

--- The next process: writes are carried out again. Gives how many there were.
---@param store curia.Store
function M.live(store)
  store.write = nil
end

--- Claims a run and goes on with it, as recovery does.
---@param store curia.Store
---@param run_id string
---@param opts? table of `resume`
---@return curia.Run?
---@return curia.Error?
function M.resume(store, run_id, opts)
  assert(store:execute("UPDATE {runs} SET fence = fence + 1, status = 'running' WHERE run_id = ?", run_id))
  return resuming.resume(store, assert(rows.get(store, "default", run_id)), opts)
end

-- What may differ from process to process: times, how often a call was tried, and what it used then.
local PASSING = {
  at = true, started_at = true, duration_ms = true, first_token_ms = true, deadline = true, attempts = true,
  latency_ms = true, finished_ms = true,
}

local function settled(value)
  if type(value) ~= "table" then return value end
  local made = {}
  for name, item in pairs(value) do
    if not PASSING[name] then made[name] = settled(item) end
  end
  return made
end

--- A value without what may differ from process to process, as JSON.
---@param value any
---@return string
function M.steady(value)
  return assert(json.encode(settled(value)))
end

--- The stored events of a run, without what may differ, one text for each.
---@param store curia.Store
---@param run_id string
---@return string[]
function M.events(store, run_id)
  local lines = {}
  for i, event in ipairs(assert(rows.events(store, "default", run_id))) do
    assert(event.seq == i, "the events have a gap or come twice")
    lines[i] = M.steady(event)
  end
  return lines
end

--- How many steps of a run have an outcome, by path.
---@param store curia.Store
---@param run_id string
---@return table<string, boolean>
function M.finished(store, run_id)
  local found = {}
  local sql = "SELECT path FROM {steps} WHERE run_id = ? AND kind = 'call' AND status = 'finished'"
  for _, row in ipairs(assert(store:query(sql, run_id))) do found[row.path] = true end
  return found
end

--- Starts a durable run.
function M.start(council, input, opts)
  local own = { durability = "sync", seed = 7 }
  for name, value in pairs(opts or {}) do own[name] = value end
  return assert(curia.start(council, input or "Ship on Friday?", own))
end

local function lines_of(text)
  local lines = {}
  for line in text:gmatch "[^\n]+" do lines[#lines + 1] = line end
  return lines
end

local function part(line, at)
  return line and line:sub(math.max(1, at - 60), at + 120)
end

--- Fails with the first difference of two long texts.
function M.equal(expected, found)
  if expected == found then return end
  local before, after = lines_of(expected), lines_of(found)
  for i = 1, math.max(#before, #after) do
    local a, b, at = before[i] or "", after[i] or "", 1
    if a ~= b then
      while a:byte(at) == b:byte(at) do at = at + 1 end
      error(("line %d differs:\n  expected %s\n  found    %s"):format(i, part(a, at), part(b, at)), 2)
    end
  end
end

return M
