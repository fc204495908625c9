--- The recorder that comes with Curia: a run's row and its events, in a store.
--
-- What has come in since it looked last is one unit of work. Units are handed over without waiting for the ones
-- before: many share a commit, and whatever was handed over is carried out even if the program ends.
local clean = require "curia.recorder.clean"
local clock = require "curia.core.clock"
local errors = require "curia.errors"
local firsts = require "curia.store.first"
local json = require "curia.json"
local nodes = require "curia.recovery.node"
local policies = require "curia.recovery.policy"
local requests = require "curia.recorder.requests"
local results = require "curia.engine.result"
local retention = require "curia.recorder.retention"
local rows = require "curia.store.runs"
local shared = require "curia.store.shared"

local M = {}

-- Units under way beyond this many are waited for.
local MOST_UNITS = 32

local FENCE = 1 -- a run that is not durable does not change its owner while it goes on

local Writer = {}
Writer.__index = Writer

local function open_store(args, conf)
  if args.store then return shared.of(args.store, args.prefix or conf:get "prefix") end
  return shared.configured(conf)
end

function Writer:cleaned(value, what)
  return value ~= nil and clean.of(value, self.hook, what) or nil
end

-- Options that have a form in JSON.
local function plain(opts)
  local found = {}
  for name, value in pairs(opts) do
    if name ~= "recorder" and json.encode(value) then found[name] = value end
  end
  return found
end

local function place_of(value, configured)
  if value == nil then value = configured end
  return value ~= json.null and value ~= "" and value or nil
end

-- The node is whose death ends the run too: a sweep fails what has lost its process.
function Writer:row(node)
  local run, args = self.run, self.args
  local opts, conf = run.opts, run.config
  local policy, max_attempts = policies.parts(opts.recovery or run.plan.spec.recovery)
  return {
    namespace = run.namespace.name, run_id = run.id, group_name = run.group and run.group.name,
    council = run.plan.spec.name, status = run.status, durability = "none",
    recovery = policy, max_attempts = max_attempts, attempt = args.attempt or 1, attempts = 1,
    parent_run_id = run.log.parent_run_id, parent_attempt_run_id = args.parent_attempt_run_id
      or opts.parent_attempt_run_id, job_id = args.job_id or opts.job_id, seed = run.seed, source = args.source,
    source_stack = place_of(opts.stack, conf:get "stack"), source_env = place_of(opts.env, conf:get "env"),
    owner = node.node_id, incarnation = node.incarnation, fence = self.fence, events = 0, started_at = run.started_at,
    input = self:cleaned(run.input, "input"), options = self:cleaned(plain(opts), "options"),
  }
end

function Writer:put_row(unit, node)
  local row = self:row(node)
  self.status = row.status
  if not self.args.fence then return rows.insert(self.store, unit, row, self.seen) end
  self:change(unit, { status = row.status, started_at = row.started_at })
end

-- ---- units ----------------------------------------------------------------------------------------

-- Notes what has become of the units that are over, and waits for the oldest while there are more than `most`.
function Writer:settle(most)
  local units = self.units
  while units[1] and (#units > most or units[1]:finished()) do
    local done, err = table.remove(units, 1):await()
    if not done then self.failure = self.failure or err end
  end
  if self.failure then return nil, self.failure end
  return true
end

function Writer:hand_over(unit)
  if #unit > 0 then table.insert(self.units, self.store:submit(unit)) end
  return self:settle(MOST_UNITS)
end

function Writer:change(unit, changes)
  rows.update(self.store, unit, self.key, self.fence, changes, self.seen)
end

-- ---- what a recorder does -------------------------------------------------------------------------

-- An id of the user's own may have been begun before, by this process or another: who began first is known once the
-- row is stored.
function Writer:begin(unit)
  if not self.run.opts.run_id then return self:hand_over(unit) end
  local done, err = self.store:write(unit)
  if done then return true end
  if err.code ~= "constraint" then return nil, err end
  local row, problem = firsts.ended(self.store, self.run)
  self.first = { row = row, err = problem }
  return true
end

function Writer:open()
  local store, err = open_store(self.args, self.run.config)
  if not store then return nil, err end
  self.store = store
  return nodes.current(store)
end

function Writer:init()
  local node, err = self:open()
  if not node then return nil, err end
  retention.keep(self.store, self.run.config:get "retention")
  local unit = {}
  self:put_row(unit, node)
  local ok, problem = self:begin(unit)
  if ok and not self.first then requests.watch(self.store, self.run) end
  return ok, problem
end

local STATUS = { run_started = "running", run_blocked = "blocked", run_resumed = "running" }

function Writer:event(event)
  local kept = self:cleaned(event, "event")
  if kept ~= event then kept.run_id, kept.seq, kept.type = event.run_id, event.seq, event.type end
  self.new_status = STATUS[event.type] or self.new_status
  if not event.seq then return true end
  self.kept = self.kept + 1
  table.insert(self.events, kept)
  return true
end

-- A unit with the events that have come in.
function Writer:unit_of_events()
  local events, unit = self.events, {}
  self.events = {}
  rows.events_of(self.store, unit, self.key.namespace, #events, function(i) return events[i] end, self.seen)
  return unit
end

function Writer:flush()
  local unit = self:unit_of_events()
  if self.new_status and self.new_status ~= self.status then
    self.status = self.new_status
    self:change(unit, { status = self.status })
  end
  return self:hand_over(unit)
end

local function final_status(outcome)
  if outcome.ok then return "completed" end
  return outcome.terminated and "terminated" or outcome.cancelled and "cancelled" or "failed"
end

function Writer:finalize(outcome)
  local run, cost = self.run, results.cost_of(self.run.totals)
  requests.leave(self.store, run)
  local unit = self:unit_of_events()
  self:change(unit, {
    status = final_status(outcome), result = self:cleaned(outcome.ok or outcome.result, "result"),
    error = self:cleaned(outcome.error, "error"), usage = self:cleaned(run.totals.usage, "usage"),
    cost = cost and cost.usd, events = self.kept, finalized_at = clock.wall_ms(), owner = json.null,
    incarnation = json.null,
  })
  self:hand_over(unit)
  return self:settle(0)
end

--- The recorder of one run.
---@param run curia.Run
---@param args table
---@return curia.Recorder
function M.new(run, args)
  local at_rest = run.config:get "at_rest"
  local writer = setmetatable({
    run = run, args = args, key = { namespace = run.namespace.name, run_id = run.id }, seen = {}, events = {},
    kept = 0, fence = args.fence or FENCE, units = {}, hook = at_rest and at_rest.redact,
  }, Writer)
  return {
    init = function() return writer:init() end,
    first = function() return writer.first end,
    event = function(event) return writer:event(event) end,
    flush = function() return writer:flush() end,
    finalize = function(outcome) return writer:finalize(outcome) end,
  }
end

--- A recorder that this version has not.
---@return curia.Error
function M.no_postgres()
  return errors.new("storage", "a store that several nodes share is Postgres, which is not part of this version;"
    .. " recorder = \"sqlite\" records on this machine", { code = "unsupported" })
end

return M
