--- The event log of a run (SPEC 13): one order for everything that watches.
--
-- An event gets its number when it is logged. Each subscription has a queue of its own, so that a
-- slow reader never slows the run; member_token events are not logged, are made only while somebody
-- watches them, and are merged in the queue of a reader that is behind.
--
-- Most runs are watched by nobody, and finished ones stay for a while: so the log keeps what an event
-- says as a few entries of one array, and makes the event itself for those who read it.
local clock = require "curia.core.clock"
local lazy = require "curia.lazy"
local logger = require "curia.log"
local task = require "curia.task"
local telemetry = require "curia.telemetry"
local told = lazy "curia.telemetry.runs"

local M = {}

---@class curia.Event
---@field v 1
---@field seq? integer from 1, without gaps; member_token has `after` instead
---@field at integer Unix ms
---@field type string
---@field run_id string

---@class curia.Subscription
---@field merged integer tokens that were merged because the reader was behind
---@field dropped integer tokens that it does not get as it was too far behind
---@field source curia.Log|curia.TopicSource what is watched
local Subscription = { __name = "curia.subscription" }
Subscription.__index = Subscription

-- A reader that has so many events to take gets no more tokens. All text comes once more with the turn's end.
local FAR_BEHIND = 10000

---@class curia.Log
---@field count integer events so far
---@field entries any[] WIDTH of them for each event: type, time, round or false, member or false, value
---@field closed boolean after the terminal event, or terminate
---@field token_watchers integer
---@field request_watchers integer
---@field outer curia.Log|false the log of the run that this one is part of
---@field inner? table<curia.Log, true> those of runs inside of this one
---@field sub_watchers integer how many watch the tokens of all runs inside of this one
---@field sub_request_watchers integer how many watch their requests
---@field member? string the member of the outer run whose answer this run is
---@field bus curia.Bus
---@field topics string[] where its events are published, beside the run itself
---@field run? curia.Run of which telemetry tells
---@field journal curia.Journal|false that of a durable run: its events are published once they are stored
---@field published? integer of a durable run: events that were published so far
local Log = { outer = false, sub_watchers = 0, sub_request_watchers = 0, journal = false }
Log.__index = Log

local NO_BUS, NO_TOPICS = { wanted = false }, {}

--- An empty log.
---@param run_id string
---@param parent_run_id? string
---@return curia.Log
function M.new(run_id, parent_run_id)
  return setmetatable({
    run_id = run_id, parent_run_id = parent_run_id, count = 0, entries = {}, subscriptions = {}, closed = false,
    token_watchers = 0, request_watchers = 0, bus = NO_BUS, topics = NO_TOPICS,
  }, Log)
end

local WIDTH = 5
local wall_ms = clock.wall_ms

-- The field that an event of a round has besides; the other types have a table of fields.
local OWN_FIELD = { member_started = "model", member_completed = "result", round_completed = "result" }

-- One constructor for all fields: a table that grows is made several times over.
local function event_of_round(log, seq, round, own)
  local entries, last = log.entries, seq * WIDTH
  local value = entries[last] or nil
  return {
    v = 1, seq = seq, at = entries[last - 3], type = entries[last - 4], run_id = log.run_id,
    parent_run_id = log.parent_run_id, round = round.name, idx = round.idx, iteration = round.iteration,
    ask = round.ask, member = entries[last - 1] or nil, model = own == "model" and value or nil,
    result = own == "result" and value or nil,
  }
end

--- The event of a number.
---@param log curia.Log
---@param seq integer
---@return curia.Event
local function event_of(log, seq)
  local entries, last = log.entries, seq * WIDTH
  local kind, round, value = entries[last - 4], entries[last - 2], entries[last]
  if round then return event_of_round(log, seq, round, OWN_FIELD[kind]) end
  local event = {
    v = 1, seq = seq, at = entries[last - 3], type = kind, run_id = log.run_id, parent_run_id = log.parent_run_id,
  }
  for name, field in pairs(value) do event[name] = field end
  return event
end

M.event_of = event_of

local function append(subscription, event)
  local last = subscription.last + 1
  subscription.queue[last] = event
  subscription.last = last
  if subscription.signal then subscription.signal:notify() end
end

local function is_watched(log)
  return log.subscriptions[1] or log.outer or log.bus.wanted
end

--- Logs an event of a round and hands it to all subscriptions. Nothing happens once the log is closed.
---@param kind string
---@param round {name: string, idx: integer, iteration?: integer}|false
---@param member? string|false
---@param value? any the model that is asked, the result
function Log:tell(kind, round, member, value)
  if self.closed then return end
  local entries, seq = self.entries, self.count + 1
  local last = seq * WIDTH
  entries[last - 4] = kind -- one after another: an array grows at its end only
  entries[last - 3] = wall_ms()
  entries[last - 2] = round
  entries[last - 1] = member or false
  entries[last] = value or false
  self.count = seq
  if self.journal then return self.journal:logged(self, seq) end
  if telemetry.any and self.run then told.tell(self.run, kind, round, member, value) end
  if not is_watched(self) then return end
  local subscriptions, event = self.subscriptions, event_of(self, seq)
  for i = 1, #subscriptions do append(subscriptions[i], event) end
  self:pass_on(event)
end

local function tell_telemetry(log, seq)
  local entries, last = log.entries, seq * WIDTH
  told.tell(log.run, entries[last - 4], entries[last - 2], entries[last - 1], entries[last])
end

--- The events up to this number are in a store alone: those of an attempt of the run that has failed.
---@param seq integer
function Log:skip_to(seq)
  self.count, self.published = seq, seq
end

--- Publishes an event of a durable run. One that was published before the run was resumed goes to those alone who
--- watch the run itself, as all that they have missed does.
---@param seq integer
---@param again? boolean
function Log:publish(seq, again)
  self.published = seq
  if telemetry.any and self.run and not again then tell_telemetry(self, seq) end
  if not is_watched(self) then return end
  local event = event_of(self, seq)
  for _, subscription in ipairs(self.subscriptions) do append(subscription, event) end
  if not again then self:pass_on(event) end
end

--- Hands an event to the outer run's log and to those that listen to one of the run's topics.
---@param event curia.Event
function Log:pass_on(event)
  if self.outer then self.outer:relay(event, self.member) end
  if not self.bus.wanted then return end
  for _, topic in ipairs(self.topics) do self.bus:publish(topic, event) end
end

--- Logs an event that belongs to no round.
---@param kind string
---@param fields table its further fields; not to be changed from now on
function Log:emit(kind, fields)
  return self:tell(kind, false, false, fields)
end

-- Whether an event goes on where the tail of a queue ends.
local function follows(tail, length, event)
  return tail.run_id == event.run_id and tail.member == event.member
    and tail.idx == event.idx and tail.iteration == event.iteration and tail.ask == event.ask
    and tail.kind == event.kind and tail.attempt == event.attempt and tail.index + length == event.index
end

local function join(own)
  own.event.text = table.concat(own)
end

-- The tail becomes the subscription's own: an event may stand in many queues.
local function own_tail(subscription)
  if subscription.own then join(subscription.own) end
  local tail = subscription.queue[subscription.last]
  local copy = {}
  for key, value in pairs(tail) do copy[key] = value end
  subscription.queue[subscription.last] = copy
  subscription.own = { event = copy, length = #tail.text, tail.text }
  return subscription.own
end

-- A reader that has not taken the last piece of the same answer gets it and this one as one. The
-- pieces are joined when it takes them: a reader may be far behind.
local function merge(subscription, event)
  local tail = subscription.queue[subscription.last]
  if not tail or tail.type ~= "member_token" then return false end
  local own = subscription.own
  if not own or own.event ~= tail then own = nil end
  if not follows(tail, own and own.length or #tail.text, event) then return false end
  own = own or own_tail(subscription)
  own[#own + 1], own.length = event.text, own.length + #event.text
  own.event.finish_reason = event.finish_reason
  subscription.merged = subscription.merged + 1
  return true
end

local function push_token(subscription, event)
  if merge(subscription, event) then return end
  if subscription.last - subscription.first < FAR_BEHIND then return append(subscription, event) end
  subscription.dropped = subscription.dropped + 1
end

--- Hands an event to the reader: a sink of a bus.
---@param event curia.Event
function Subscription:push(event)
  if event.type == "member_token" then return self.tokens and push_token(self, event) end
  if event.type ~= "member_request" or self.requests then append(self, event) end
end

--- Hands a member_token event to those that watch tokens.
---@param event table
function Log:token(event)
  if self.closed then return end
  event.v, event.type, event.at, event.after = 1, "member_token", clock.wall_ms(), self.count
  event.run_id, event.parent_run_id = self.run_id, self.parent_run_id
  for _, subscription in ipairs(self.subscriptions) do
    if subscription.tokens then push_token(subscription, event) end
  end
  self:pass_on(event)
end

--- Hands a member_request event, which is not logged either, to those that watch requests.
---@param event table
function Log:request(event)
  if self.closed then return end
  event.v, event.type, event.at, event.after = 1, "member_request", clock.wall_ms(), self.count
  event.run_id, event.parent_run_id = self.run_id, self.parent_run_id
  for _, subscription in ipairs(self.subscriptions) do
    if subscription.requests then append(subscription, event) end
  end
  if self.outer then self.outer:relay(event, self.member) end
end

--- Tells everybody who watches that all of the run is stored (`run_recorded`): a notice outside of the log, after its
--- last event.
function Log:tell_recorded()
  local event = {
    v = 1, type = "run_recorded", at = clock.wall_ms(), after = self.count, run_id = self.run_id,
    parent_run_id = self.parent_run_id,
  }
  for _, subscription in ipairs(self.subscriptions) do append(subscription, event) end
  self:pass_on(event)
end

--- Hands an event of a run inside of this one to those that watch these too (`sub_runs`).
---@param event table
---@param member? string whose answer that run is
function Log:relay(event, member)
  for _, subscription in ipairs(self.subscriptions) do
    local of_member = subscription.of_member
    if subscription.sub_runs and (not of_member or of_member == member) then subscription:push(event) end
  end
  if self.outer then self.outer:relay(event, self.member) end
end

local function count_watchers(log, count)
  log.token_watchers = log.token_watchers + count
  if log.on_watch then log.on_watch(log.token_watchers > 0) end
end

-- Whoever watches the tokens of the runs inside of a run watches those of each of them.
local function count_sub_watchers(log, count)
  log.sub_watchers = log.sub_watchers + count
  for inner in pairs(log.inner or {}) do
    count_watchers(inner, count)
    count_sub_watchers(inner, count)
  end
end

local function count_request_watchers(log, count)
  log.request_watchers = log.request_watchers + count
end

local function count_sub_request_watchers(log, count)
  log.sub_request_watchers = log.sub_request_watchers + count
  for inner in pairs(log.inner or {}) do
    count_request_watchers(inner, count)
    count_sub_request_watchers(inner, count)
  end
end

--- Says where the events are published besides.
---@param bus curia.Bus
---@param topics string[]
function Log:publish_on(bus, topics)
  self.bus, self.topics = bus, topics
  if not bus.wanted then return end
  for _, topic in ipairs(topics) do self:count_tokens(topic, bus:wants_tokens(topic)) end
end

--- Those who listen to a topic and take tokens have become more, or fewer.
---@param topic string
---@param count integer
function Log:count_tokens(topic, count)
  if self.closed or count == 0 then return end
  for _, own in ipairs(self.topics) do
    if own == topic then count_watchers(self, count) end
  end
end

--- Makes the log part of another run's: its events go there too.
---@param outer curia.Log
---@param member? string the member of the outer run whose answer this one's is
function Log:attach(outer, member)
  self.member = member
  outer.inner = outer.inner or {}
  outer.inner[self], self.outer = true, outer
  count_watchers(self, outer.sub_watchers)
  self.sub_watchers = outer.sub_watchers
  count_request_watchers(self, outer.sub_request_watchers)
  self.sub_request_watchers = outer.sub_request_watchers
end

--- No event comes any more; readers end when they have read what there is.
function Log:close()
  self.closed = true
  if self.outer then self.outer.inner[self] = nil end
  for _, subscription in ipairs(self.subscriptions) do subscription:finish() end
  self.subscriptions, self.token_watchers, self.request_watchers = {}, 0, 0
end

local function add_watcher(log, subscription, count)
  if subscription.requests then
    count_request_watchers(log, count)
    if subscription.sub_runs then count_sub_request_watchers(log, count) end
  end
  if not subscription.tokens then return end
  count_watchers(log, count)
  if subscription.sub_runs then count_sub_watchers(log, count) end
end

local function drop(list, item)
  for i, other in ipairs(list) do
    if other == item then return table.remove(list, i) end
  end
end

--- Wakes the reader for the last time: what stands in the queue is all there will be.
function Subscription:finish()
  self.ended = true
  if self.signal then self.signal:notify() end
end

function Log:name()
  return "run " .. self.run_id
end

--- A subscription is taken off.
---@param subscription curia.Subscription
function Log:leave(subscription)
  if drop(self.subscriptions, subscription) then add_watcher(self, subscription, -1) end
end

--- Ends the subscription; idempotent.
function Subscription:stop()
  self.first, self.last, self.queue, self.own = 1, 0, {}, nil
  self.source:leave(self)
  self:finish()
end

Subscription.__close = Subscription.stop

local function take(self)
  local event = self.queue[self.first]
  self.queue[self.first] = nil
  self.first = self.first + 1
  local own = self.own
  if own and own.event == event then
    join(own)
    self.own = nil
  end
  return event
end

-- `from` concerns the run that is watched, not those inside of it.
local function is_wanted(self, event)
  return self.from == 1 or event.run_id ~= self.source.run_id or (event.seq or event.after + 1) >= self.from
end

--- The next event, or nil when there will be none. Waits.
---@async
---@return curia.Event?
function Subscription:next()
  while true do
    while self.first > self.last do
      if self.ended then return nil end
      self.signal = self.signal or task.signal()
      self.signal:wait()
    end
    local event = take(self)
    if is_wanted(self, event) then return event end
  end
end

--- Whether an event can be taken without waiting.
---@return boolean
function Subscription:waiting()
  return self.first <= self.last
end

--- for event in subscription:each() do ... end. Leaving the loop ends it.
---@async
function Subscription:each()
  return self.next, self, nil, self
end

--- Options of a subscription.
M.OPTIONS = {
  from_seq = { type = "integer" }, tokens = { type = "boolean" }, requests = { type = "boolean" },
  sub_runs = { type = "boolean" },
}

---@class curia.SubscribeOptions
---@field from_seq? integer the first event that is wanted (1)
---@field tokens? boolean false: no member_token events
---@field requests? boolean member_request events too, which carry the messages as they are sent
---@field sub_runs? boolean the events of the runs inside of this one too, as they happen: with their own `run_id` and
--- `seq`, and the outer run's id as `parent_run_id`

--- A subscription to whatever feeds it by `push`; what watches one run comes from its log.
---@param source {name: fun(self): string, leave: fun(self, subscription: curia.Subscription)}
---@param opts curia.SubscribeOptions
---@return curia.Subscription
function M.subscription(source, opts)
  return setmetatable({
    source = source, queue = {}, first = 1, last = 0, from = math.max(1, opts.from_seq or 1), merged = 0, dropped = 0,
    tokens = opts.tokens ~= false, requests = opts.requests == true, sub_runs = opts.sub_runs == true, ended = false,
    own = nil,
  }, Subscription)
end

--- Subscribes: what was logged from `from_seq` on comes first, then what follows.
---@param opts curia.SubscribeOptions
---@param live? fun(emit: fun(event: table)) gives the unfinished answers so far, as one token event each
---@return curia.Subscription
function Log:subscribe(opts, live)
  local subscription = M.subscription(self, opts)
  subscription.ended = self.closed
  for seq = subscription.from, self.published or self.count do
    if self.entries[seq * WIDTH] ~= nil then append(subscription, event_of(self, seq)) end
  end
  if self.closed then return subscription end
  if subscription.tokens and live then live(function(event) append(subscription, event) end) end
  self.subscriptions[#self.subscriptions + 1] = subscription
  add_watcher(self, subscription, 1)
  return subscription
end

--- Subscribes to the runs inside of this one that answer for a member, from now on.
---@param member string
---@param opts curia.SubscribeOptions
---@return curia.Subscription
function Log:subscribe_to(member, opts)
  local subscription = M.subscription(self, { from_seq = math.maxinteger, tokens = opts.tokens, sub_runs = true })
  subscription.of_member, subscription.ended = member, self.closed
  if self.closed then return subscription end
  self.subscriptions[#self.subscriptions + 1] = subscription
  add_watcher(self, subscription, 1)
  return subscription
end

local function report(subscription, err)
  if task.current():cancelled() then return end -- the runtime closes
  logger.write("error", ("a subscriber of %s failed and was detached: %s"):format(
    subscription.source:name(), tostring(err)))
end

-- However this ends (the watchdog may stop it), the subscription ends with it.
local function call_with_events(subscription, fn)
  local _ <close> = subscription
  for event in subscription.next, subscription do
    local ok, err = xpcall(fn, debug.traceback, event)
    if not ok then return report(subscription, err) end
  end
end

--- Calls `fn(event)` for each event, in a task of its own: it may wait; when it raises it is
--- reported and detached.
---@param subscription curia.Subscription
---@param fn fun(event: curia.Event)
---@return curia.Subscription
function M.deliver(subscription, fn)
  task.spawn_root(call_with_events, subscription, fn)
  return subscription
end

return M
