--- Recovery (SPEC 17): the runs of processes that have died are taken up, those of one that ends are let go.
local clock = require "curia.core.clock"
local durable = require "curia.durable"
local log = require "curia.log"
local node = require "curia.recovery.node"
local shared = require "curia.store.shared"
local sweeping = require "curia.recovery.sweep"
local system = require "curia.core.system"
local task = require "curia.task"

local M = {}

M.sweep = sweeping.sweep

local EVERY_MS = 1000
local DRAIN_MS = 10000

-- ---- what was asked of runs elsewhere ---------------------------------------------------------------

local REQUESTS = [[SELECT run_id, namespace, cancel_requested FROM {runs} WHERE incarnation = ?
  AND cancel_requested IS NOT NULL AND finalized_at IS NULL]]

local function own_run(row)
  for run in pairs(durable.live) do
    if run.id == row.run_id and run.namespace.name == row.namespace then return run end
  end
end

--- Cancels the runs of this process of which that was asked in the store.
---@async
---@param store curia.Store
---@return true?
---@return curia.Error?
function M.honour_requests(store)
  local here, err = node.current(store)
  if not here then return nil, err end
  local rows
  rows, err = store:query(REQUESTS, here.incarnation)
  if not rows then return nil, err end
  for _, row in ipairs(rows) do
    local run = own_run(row)
    if run then run:cancel(row.cancel_requested) end
  end
  return true
end

-- ---- again and again --------------------------------------------------------------------------------

---@class curia.Recovery
---@field stopped boolean
local Recovery = {}
Recovery.__index = Recovery

-- Many processes that begin together shall not sweep together.
local function pause_ms()
  return EVERY_MS // 2 + (system.random_integer() & 0x7fffffff) % EVERY_MS
end

local function one_round(self)
  local counts, err = M.sweep(self.opts)
  if counts and self.told then self.told(counts) end
  local store = counts and (self.opts.store and shared.of(self.opts.store) or shared.configured())
  if store then
    node.tidy(store)
    M.honour_requests(store)
  end
  if err then log.write("error", "recovery: " .. err.message) end
end

local function keep_sweeping(self)
  while not self.stopped do
    one_round(self)
    if not self.stopped then self.wake:wait(pause_ms()) end
  end
end

--- Sweeps every second or so, until it is stopped.
---@param opts? table of `sweep`
---@param told? fun(counts: table) called after each sweep
---@return curia.Recovery with `stop()`
function M.start(opts, told)
  local self = setmetatable({ opts = opts or {}, told = told, stopped = false, wake = task.signal() }, Recovery)
  self.task = task.spawn_background(keep_sweeping, self)
  return self
end

--- Ends the sweeping, once a sweep that is under way has ended.
---@async
function Recovery:stop()
  self.stopped = true
  self.wake:notify()
  self.task:await()
end

-- ---- the end of a process ---------------------------------------------------------------------------

local function drain_all(at_once)
  for run in pairs(durable.live) do
    if run.conductor then run.conductor:drain(at_once) end
  end
end

local function await_none(until_ms)
  while next(durable.live) and clock.ms() < until_ms do task.sleep(5) end
end

--- Lets the durable runs of this process go: nothing new is begun, what is under way may end, for so long, and then they
--- are anybody's. Calls that have not ended by then are made again by whoever takes their run up.
---@async
---@param drain_ms? number 10000
function M.release(drain_ms)
  drain_all(false)
  await_none(clock.ms() + (drain_ms or DRAIN_MS))
  drain_all(true)
  await_none(clock.ms() + DRAIN_MS)
end

return M
