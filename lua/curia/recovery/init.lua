--- Recovery (SPEC 17): the runs of processes that have died are taken up, those of one that ends are let go.
local again = require "curia.recovery.again"
local claim = require "curia.recovery.claim"
local clock = require "curia.core.clock"
local config = require "curia.config"
local durable = require "curia.durable"
local errors = require "curia.errors"
local fields = require "curia.language.fields"
local log = require "curia.log"
local node = require "curia.recovery.node"
local options = require "curia.engine.options"
local refusal = require "curia.recovery.refusal"
local requests = require "curia.recovery.requests"
local resuming = require "curia.durable.resume"
local rows = require "curia.store.runs"
local sweeping = require "curia.recovery.sweep"
local system = require "curia.core.system"
local task = require "curia.task"
local user_code = require "curia.engine.user_code"

local M = {}

M.sweep = sweeping.sweep

local EVERY_MS, LEAST_MS = 1000, 10
local DRAIN_MS = 10000

-- ---- one run --------------------------------------------------------------------------------------

-- The row as it is claimed; the one that is given stays what it was.
local function claim_one(store, row)
  local here, problem = node.current(store)
  if not here then return nil, problem end
  local claimed = {}
  for name, value in pairs(row) do claimed[name] = value end
  local take = row.finalized_at and claim.reopen or claim.run
  local won, err = take(store, claimed, here)
  if won then return claimed end
  return nil, err or errors.new("validation", ("run %s was taken up by another process"):format(row.run_id),
    { code = "running" })
end

local RESUME = {
  accept = { type = "boolean|string|list", items = { type = "string" }, nonempty = true },
  councils = { type = "table" }, namespace = fields.config.namespace, store = fields.config.store,
}

--- Goes on with a stored run that nobody goes on with: its process has died, it is blocked, or it has failed.
---@async
---@param run_id string
---@param opts? {accept?: string|string[]|true, councils?: table<string, curia.Council>, namespace?: string,
--- store?: string} `accept`: the steps whose input may differ from the recorded one, and the council's file; true: all
--- of them; unknown ones raise
---@return curia.Run?
---@return curia.Error? err kinds `unknown_run`, `validation` (codes `ended`, `inside`, `running`), `replay_mismatch`,
--- `storage`
function M.resume(run_id, opts)
  opts = options.read("resume", opts, RESUME)
  local store, err = sweeping.store_of(opts)
  if not store then return nil, err end
  local row
  row, err = rows.get(store, opts.namespace or config.shared():get "namespace", run_id)
  if not row then return nil, err end
  err = refusal.of(store, row)
  if err then return nil, err end
  local claimed, run
  claimed, err = claim_one(store, row)
  if not claimed then return nil, err end
  run, err = resuming.resume(store, claimed, {
    accept = opts.accept, councils = opts.councils, reopen = row.finalized_at ~= nil,
  })
  if not run then claim.undo(store, claimed, row) end
  return run, err
end

-- ---- again and again --------------------------------------------------------------------------------

---@class curia.Recovery
---@field stopped boolean
local Recovery = {}
Recovery.__index = Recovery

-- Many processes that begin together shall not sweep together.
local function pause_ms(every_ms)
  return every_ms // 2 + (system.random_integer() & 0x7fffffff) % every_ms
end

local followers = {} -- by name: what is done after each sweep

--- Has something done after each sweep, in the same scope.
---@param name string whoever says it again replaces it
---@param fn fun(opts: table) async
function M.after_sweep(name, fn)
  followers[name] = fn
end

local function follow(opts)
  for name, fn in pairs(followers) do
    local _, err = user_code.call("after a sweep: " .. name, fn, opts)
    if err then log.write("error", "recovery: " .. err.message) end
  end
end

local function hear(store)
  local kept, err = node.keep(store)
  if not kept then log.write("error", "recovery: this process passes for dead: " .. err.message) end
  requests.hear(store)
end

local function one_round(self)
  local counts, err = M.sweep(self.opts)
  if counts and self.told then self.told(counts) end
  local store = counts and sweeping.store_of(self.opts)
  if store then
    node.tidy(store)
    hear(store)
    follow(self.opts)
  end
  if err then log.write("error", "recovery: " .. err.message) end
end

local function keep_sweeping(self)
  while not self.stopped do
    one_round(self)
    if not self.stopped then self.wake:wait(pause_ms(self.every_ms)) end
  end
end

local function new(opts, more)
  local self = setmetatable({ opts = opts, stopped = false, wake = task.signal() }, Recovery)
  for name, value in pairs(more or {}) do self[name] = value end
  return self
end

-- What is not said here is in the configuration (`sweep`).
local function rhythm_of(opts)
  local configured = config.shared():get "sweep" or {}
  local enabled = opts.enabled
  if enabled == nil then enabled = sweeping.is_enabled() end
  return enabled, math.max(LEAST_MS, (opts.every_ms or configured.every_ms or EVERY_MS) // 1)
end

local START = {}
for _, rules in ipairs { sweeping.OPTIONS, fields.sweep } do
  for name, rule in pairs(rules) do START[name] = rule end
end

local function of_sweep(opts)
  local own = {}
  for name in pairs(sweeping.OPTIONS) do own[name] = opts[name] end
  return own
end

--- Sweeps every second or so, until it is stopped. Where that is not enabled it only hears (`M.hear`).
---@param opts? table of `sweep`, and `enabled`, `every_ms` (at least 10), which win over those of the configuration
---@param told? fun(counts: table) called after each sweep
---@return curia.Recovery with `stop()`
function M.start(opts, told)
  opts = options.read("start", opts, START)
  local enabled, every_ms = rhythm_of(opts)
  if not enabled then return M.hear { store = opts.store } end
  local self = new(of_sweep(opts), { told = told, every_ms = every_ms })
  self.task = task.spawn_background(keep_sweeping, self)
  return self
end

local function keep_hearing(self)
  while not self.stopped do
    self.wake:wait(EVERY_MS)
    local store = not self.stopped and sweeping.store_of(self.opts)
    if store then hear(store) end
  end
end

--- Hears every second what was asked of the durable runs of this process in the store, and takes up none of others.
---@param opts? {store?: string}
---@return curia.Recovery with `stop()`
function M.hear(opts)
  local self = new(opts or {})
  self.task = task.spawn_background(keep_hearing, self)
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

local function await_none(until_ms, ...)
  for _, live in ipairs { ... } do
    while next(live) and clock.ms() < until_ms do task.sleep(5) end
  end
end

--- Lets the durable runs of this process go: nothing new is begun, what is under way may end, for so long, and then
--- they are anybody's. Calls that have not ended by then are made again by whoever takes their run up. Runs without a
--- journal that recovery has begun anew may end as well in that time, and cannot be let go.
---@async
---@param drain_ms? number 10000
function M.release(drain_ms)
  drain_all(false)
  await_none(clock.ms() + (drain_ms or DRAIN_MS), durable.live, again.live)
  drain_all(true)
  await_none(clock.ms() + DRAIN_MS, durable.live)
end

return M
