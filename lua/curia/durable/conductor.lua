--- Conducts a durable run: hands in what comes from outside, one thing after the other, and has the run do all that
--- follows from it before the next. The order is what is recorded (SPEC 16).
--
-- What has been handed in, the events that it led to and the effects that it made the run want are stored together;
-- only then are the events published and the effects begun. So one commit lies between two steps that depend on each
-- other, and what is in the store is always a whole: what was handed in so far, with all that followed.
local clock = require "curia.core.clock"
local errors = require "curia.errors"
local hosts = require "curia.durable.host"
local inner = require "curia.durable.inner"
local json = require "curia.json"
local log = require "curia.log"
local mismatch = require "curia.durable.mismatch"
local task = require "curia.task"
local user_code = require "curia.engine.user_code"
local values = require "curia.store.values"
local writers = require "curia.durable.writer"

local M = {}

---@class curia.Conductor
---@field journal curia.Journal
---@field writer curia.durable.Writer
---@field row? curia.store.RunRow of a new run
---@field entries curia.durable.Entry[] those that are not stored yet
---@field zero_ms number what to add to the clock to get the run's time
---@field failure? curia.Error why what is written behind is not stored
---@field draining? boolean nothing is begun any more, and the run is let go once nothing is under way
local Conductor = {}
Conductor.__index = Conductor

-- So many at once are stored together; what comes after them waits for the next unit.
local MOST_AT_ONCE = 256

--- A conductor for a run that has not begun.
---@param journal curia.Journal
---@param writer curia.durable.Writer
---@param row? curia.store.RunRow the run is new
---@return curia.Conductor
function M.new(journal, writer, row)
  return setmetatable({
    journal = journal, writer = writer, row = row, entries = {}, zero_ms = -clock.ms(),
  }, Conductor)
end

-- ---- handing in -----------------------------------------------------------------------------------

local hand = {} -- by the kind of an entry: what comes from outside that is no effect's outcome

function hand.time(self, entry)
  self.journal.scope:advance(entry.at_ms)
end

function hand.cancel(self, entry)
  local run = self.journal.runs[entry.outcome.run_id]
  if run and run.task then run.task:cancel(entry.outcome.reason) end
end

function hand.decision(self, entry)
  local given = entry.outcome
  for _, run in pairs(self.journal.runs) do
    local waiting = run.pending and run.pending[given.call_id]
    if waiting and (given.run_id == nil or given.run_id == run.id) then
      return waiting:decide(given.approved, given.note)
    end
  end
end

function hand.begun(self, entry)
  local call = self.journal.open[entry.outcome.call]
  if not call then return end
  call.has_begun = true
  call.effect.begun()
end

function hand.inner(self, entry)
  inner.hand_in(self.journal, entry)
end

function hand.left(self, entry)
  inner.leave(self.journal, entry.outcome)
end

-- From now on it is another process's, and another time of day.
function hand.resume(self, entry)
  self.journal.scope:set_wall(entry.outcome.wall_ms)
end

local function give(call, outcome)
  call.done, call.outcome = true, outcome
  call.journal.open[call.path] = nil
  call.signal:notify()
end

-- The outcome as each process reads it from the record.
local function hand_in(self, entry)
  local scope = self.journal.scope
  if entry.at_ms > scope:ms() then scope:set(entry.at_ms) end
  local call = self.journal.open[entry.path]
  if call then give(call, entry.outcome)
  elseif hand[entry.kind] then hand[entry.kind](self, entry) end
  scope:quiet()
end

-- ---- what is new ----------------------------------------------------------------------------------

-- The run's time never passes a wait that is over and has not ended: that is to be handed in too.
local function time_now(self)
  local scope = self.journal.scope
  local now, due = self.zero_ms + clock.ms(), scope:due()
  return math.max(scope:ms(), due and math.min(now, due) or now)
end

local function note(self, entry)
  local journal = self.journal
  journal.handed = journal.handed + 1
  entry.number, entry.at_ms = journal.handed, entry.at_ms or time_now(self)
  self.entries[#self.entries + 1] = entry
  hand_in(self, entry)
end

-- What stands in the inbox comes before what is due: an answer that is there is not late.
local function next_arrival(self)
  local journal = self.journal
  local arrival = table.remove(journal.arrivals, 1)
  if arrival then return arrival end
  local due = journal.scope:due()
  if due and due <= self.zero_ms + clock.ms() then
    return { kind = "time", path = "time", at_ms = due }
  end
end

-- Whether something is news still: nobody may wait for an outcome any more, and a call that is made again begins again.
-- What a function does that has asked for something else before is not to be on record.
local function is_news(self, arrival)
  if arrival.kind == "inner" or arrival.kind == "left" then return not self.journal.refused end
  local call = arrival.call or arrival.kind == "begun" and self.journal.open[arrival.outcome.call]
  if arrival.kind == "begun" then return call and not call.has_begun end
  return not (call and call.abandoned)
end

-- What may happen more than once is told apart by its place in the order.
local function place(self, arrival)
  if arrival.call or arrival.kind == "begun" or arrival.stored or arrival.placed then return end
  arrival.path = ("%s/%d"):format(arrival.path, self.journal.handed + 1)
end

local function hand_in_news(self)
  for _ = 1, MOST_AT_ONCE do
    local arrival = next_arrival(self)
    if not arrival then return end
    if is_news(self, arrival) then
      place(self, arrival)
      arrival.call = nil
      note(self, arrival)
    end
  end
end

-- ---- effects --------------------------------------------------------------------------------------

local function encoded(outcome)
  local made, err = values.encode(outcome)
  if made then return (values.mask(made)) end
  local fault = errors.new("validation", "what was given is no JSON value: " .. err.message, { code = "not_json" })
  return assert(values.encode { error = fault })
end

local function perform(call)
  local ok, outcome = xpcall(call.effect.ctx and hosts.perform or call.effect.perform, user_code.as_error, call)
  if not ok then outcome = { error = outcome } end
  local made = encoded(outcome)
  made.failed = outcome.error ~= nil
  return made
end

-- As each process reads it from the record. The run may change it then: what is stored is what was given.
local function read(made)
  local outcome = values.content(made)
  if outcome.error then outcome.error = errors.wrap(outcome.error) end
  return outcome
end

local function carry_out(journal, call)
  local made = perform(call)
  if task.current():cancelled() then return end
  journal:post {
    call = call, path = call.path, kind = call.kind, hash = call.hash, outcome = read(made), encoded = made,
    failed = made.failed,
  }
end

local function start(journal, call)
  if call.abandoned or call.effect.status then return end
  call.carrier = task.spawn_root(carry_out, journal, call)
end

-- ---- storing --------------------------------------------------------------------------------------

local NONE = {}

local function take(journal, name)
  local taken = journal[name]
  if not taken[1] then return NONE end
  journal[name] = {}
  return taken
end

-- What is not begun any more is asked for again by whoever takes the run up; what is only told is stored.
local function take_wanted(self)
  local wanted = take(self.journal, "wanted")
  if not self.draining then return wanted end
  local told = {}
  for _, call in ipairs(wanted) do
    if call.effect.status then told[#told + 1] = call end
  end
  return told
end

local function has_news(self)
  local journal = self.journal
  return #journal.wanted > 0 or #self.entries > 0 or #journal.told > 0 or #journal.settled > 0 or #journal.dropped > 0
end

-- A run that only waits for a decision belongs to nobody: whoever takes the decision may go on with it.
local function changes_of(self)
  local run, node = self.journal.run, self.writer.node
  local parked = run.status == "blocked" and next(self.journal.open) == nil
  return {
    status = run.status, reason = json.null, owner = parked and json.null or node.node_id,
    incarnation = parked and json.null or node.incarnation,
  }
end

local function batch_of(self)
  local journal = self.journal
  local batch = {
    row = self.row, entries = self.entries, wanted = take_wanted(self),
    dropped = take(journal, "dropped"),
    told = take(journal, "told"), begun = take(journal, "begun"), settled = take(journal, "settled"),
    changes = changes_of(self),
  }
  self.entries = {}
  return batch
end

local function publish(told, again)
  for i = 1, #told, 2 do told[i]:publish(told[i + 1], again) end
end

local function retire(self, batch)
  local journal = self.journal
  for _, run in ipairs(batch.settled) do
    if batch.told and not self.failure then run.log:tell_recorded() end
    journal:release(run)
    run:retire()
  end
end

-- What is written behind and cannot be stored does not stop the run, unless it is another process's by now.
local function store_behind(self, batch)
  local done, err = self.writer:write_behind(batch)
  if done and #batch.settled > 0 then done, err = self.writer:settle() end
  if done or writers.is_lost(err) then return done, err end
  if not self.failure then
    log.write("warn", ("run %s is not stored any further: %s"):format(self.journal.run.id, err.message))
  end
  self.failure = err
  return true
end

local function store(self, batch)
  if self.journal.mode == "async" then return store_behind(self, batch) end
  return self.writer:commit(batch)
end

-- Stores what is new; then it takes effect.
local function flush(self)
  local journal = self.journal
  local batch = batch_of(self)
  local done, err = store(self, batch)
  if not done then return nil, err end
  publish(batch.told)
  for _, call in ipairs(batch.wanted) do start(journal, call) end
  inner.deliver(journal)
  retire(self, batch)
  return true
end

-- ---- what is known --------------------------------------------------------------------------------

-- What an effect that each process does anew has to wait for is waited for here too.
local function wait_for_live(self, call)
  start(self.journal, call)
  local arrivals = self.journal.arrivals
  while true do
    for i, arrival in ipairs(arrivals) do
      if arrival.call == call then return table.remove(arrivals, i) end
    end
    self.journal.arrived:wait()
  end
end

-- The run itself cannot have ended on record; that it has will be stored with what is new.
local function retire_inner(self)
  local journal = self.journal
  for _, run in ipairs(take(journal, "settled")) do
    if run == journal.run then journal.settled[1] = run else retire(self, { settled = { run } }) end
  end
end

-- Whoever accepts much learns what that was.
local function tell_accepted(self, entry)
  log.write("warn", ("run %s: step %s differs from what is on record, and that is accepted"):format(
    self.journal.run.id, entry.path))
end

--- Holds what is asked for against what is on record; what is accepted is on record from then on.
---@async
---@param entry curia.durable.Entry
---@param call? curia.Call
---@return curia.Error? err
function Conductor:compare(entry, call)
  local err = mismatch.of(entry, call)
  if not err or not (entry.accepted and call) then return err end
  tell_accepted(self, entry)
  return select(2, self.writer:accept(call))
end

local function replay_one(self, entry)
  local journal = self.journal
  local call = journal.open[entry.path]
  local err = self:compare(entry, call)
  if err then return nil, err end
  if call and call.effect.live then wait_for_live(self, call) end
  journal.handed = entry.number
  hand_in(self, entry)
  inner.deliver(journal)
  publish(take(journal, "told"), true)
  retire_inner(self)
  return true
end

-- What had begun and has no outcome is begun again, or not, when it must not be done twice.
local function interrupted(self, call, begun)
  if not call.effect.once or begun.status ~= "started" then return false end
  local err = errors.new("tool", call.path .. ": interrupted: outcome unknown", { code = "interrupted" })
  self.journal:post {
    call = call, path = call.path, kind = call.kind, hash = call.hash, outcome = { error = err },
  }
  return true
end

local function open_calls(journal)
  local calls = {}
  for _, call in pairs(journal.open) do calls[#calls + 1] = call end
  table.sort(calls, function(a, b) return a.number < b.number end)
  return calls
end

-- What an earlier process was about to do must be what is to be done now. What was taken back may be asked otherwise.
local function changed(self, record)
  for _, begun in ipairs(record.under_way) do
    local entry, call = record:entry_of(begun), self.journal.open[begun.path]
    if entry.accepted and not call then tell_accepted(self, entry) end
    local err = (call or not entry.accepted) and self:compare(entry, call)
    if err then return err end
  end
end

local function take_up(self, begun)
  local journal = self.journal
  journal.unfinished = begun
  for _, call in ipairs(open_calls(journal)) do
    local earlier = begun[call.path]
    local is_done_here = call.effect.perform and not call.carrier -- not what the conductor itself will hand in
    if is_done_here and not (earlier and interrupted(self, call, earlier)) then journal:want(call) end
  end
end

-- The run's time stands still for as long as the oldest of the calls that are made again had been under way: so that
-- a deadline leaves them what it left them before.
local function under_way_ms(self)
  local longest, now = 0, self.journal.scope:ms()
  for _, call in ipairs(self.journal.wanted) do
    local since = call.inner and inner.busy_since(call) or call.at_ms
    if call.repeated then longest = math.max(longest, now - since) end
  end
  return longest
end

-- A run that had failed once has told so: what it tells now comes after that.
local function go_on_counting(journal, record)
  for run_id, run in pairs(journal.runs) do
    local last = record:last_event(run_id)
    if last > run.log.count then run.log:skip_to(last) end
  end
  if record.reopened then journal.run.log:emit("run_resumed", { by = "retry", from = "failed" }) end
end

--- Hands in what is on record, in its order.
---@async
---@param record curia.durable.Record
---@return true?
---@return curia.Error? err kind `replay_mismatch`: the council asks for something else than is on record
function Conductor:replay(record)
  local journal = self.journal
  journal.replaying = true
  journal.scope:quiet()
  for entry in record:entries() do
    local ok, err = replay_one(self, entry)
    if not ok then return nil, err end
  end
  if record.err then return nil, record.err end
  journal.replaying, journal.begun = false, {}
  local err = changed(self, record)
  if err then return nil, err end
  take_up(self, record.begun)
  self.zero_ms = journal.scope:ms() - clock.ms() - under_way_ms(self)
  if self.journal.handed > 0 then
    note(self, { kind = "resume", path = "resume/" .. journal.handed + 1, outcome = { wall_ms = clock.wall_ms() } })
  end
  go_on_counting(journal, record)
  for _, decision in ipairs(record.decisions) do
    if not journal.heard[decision.path] then journal:post(decision) end
    journal.heard[decision.path] = true
  end
  return true
end

-- ---- the whole ------------------------------------------------------------------------------------

local function wait(self)
  local journal = self.journal
  if #journal.arrivals > 0 or #journal.settled > 0 or journal.refused then return end
  local due = journal.scope:due()
  journal.arrived:wait(due and math.max(0, due - self.zero_ms - clock.ms()))
end

local function over(self)
  return self.journal.run.ended
end

-- A tool that waits for an effect inside of it is under way as long as that is.
local function is_under_way(self)
  for _, call in pairs(self.journal.open) do
    if call.carrier and not call.effect.live and not (call.host and call.host:is_waiting()) then return true end
  end
  return false
end

--- Begins nothing more. Once nothing is under way, or at once, the run is let go.
---@param at_once boolean
function Conductor:drain(at_once)
  self.draining, self.at_once = true, self.at_once or at_once
  self.journal.arrived:notify()
end

--- Goes on until the run has ended and all of it is stored.
---@async
---@return true?
---@return curia.Error? err kinds `storage`; code `released`: it is let go; `replay_mismatch`: a tool or a step asks for
--- something else inside than is on record
function Conductor:go_on()
  while true do
    hand_in_news(self)
    while has_news(self) do
      local ok, err = flush(self)
      if not ok then return nil, err end
    end
    if self.journal.refused then return nil, self.journal.refused end
    if over(self) then return true end
    if self.draining and (self.at_once or not is_under_way(self)) then return nil, writers.released(self.writer) end
    wait(self)
  end
end

--- Begins a new run.
---@async
function Conductor:begin()
  self.journal.scope:quiet()
  note(self, { kind = "start", path = "start", at_ms = 0, outcome = { wall_ms = self.journal.run.started_at } })
end

--- Ends all that the run has under way outside of it; it has ended.
function Conductor:stop()
  self.journal.arrived:notify()
  for _, call in pairs(self.journal.open) do
    if call.carrier then call.carrier:cancel("the run has stopped") end
  end
end

-- What whoever waits for the run hears of anyway, or has asked for: kinds and codes.
local EXPECTED = { duplicate_run = true, replay_mismatch = true, released = true, lost = true }

--- Why a run stops here that cannot go on, told to whoever waits for it.
---@param run curia.Run
---@param err curia.Error
---@return curia.Error
function M.reason(run, err)
  if writers.is_lost(err) then return writers.lost(run.id) end
  local expected = EXPECTED[err.kind] or EXPECTED[err.code]
  if not expected then log.write("error", ("run %s stops: %s"):format(run.id, err.message)) end
  return err
end

return M
