--- The event log of a run (SPEC 13): one order for everything that watches.
--
-- An event gets its number when it is logged. Each subscription has a queue of its own, so that a
-- slow reader never slows the run; member_token events are not logged, are made only while somebody
-- watches them, and are merged in the queue of a reader that is behind.
local clock = require "curia.core.clock"
local log = require "curia.log"
local task = require "curia.task"

local M = {}

---@class curia.Event
---@field v 1
---@field seq? integer from 1, without gaps; member_token has `after` instead
---@field at integer Unix ms
---@field type string
---@field run_id string

---@class curia.Subscription
---@field merged integer tokens that were merged because the reader was behind
local Subscription = {}
Subscription.__index = Subscription

---@class curia.Log
---@field events curia.Event[] by seq
---@field closed boolean after the terminal event, or terminate
---@field token_watchers integer
local Log = {}
Log.__index = Log

--- An empty log.
---@param run_id string
---@param parent_run_id? string
---@return curia.Log
function M.new(run_id, parent_run_id)
  return setmetatable({
    run_id = run_id, parent_run_id = parent_run_id, events = {}, subscriptions = {}, closed = false,
    token_watchers = 0,
  }, Log)
end

local function append(subscription, event)
  local last = subscription.last + 1
  subscription.queue[last] = event
  subscription.last = last
  if subscription.signal then subscription.signal:notify() end
end

local function append_to_all(subscriptions, event)
  for i = 1, #subscriptions do append(subscriptions[i], event) end
end

--- Logs an event and hands it to all subscriptions. Nothing happens once the log is closed. What
--- belongs to a round goes through Log:tell, which makes each event in one piece: there are many.
---@param kind string
---@param event table its further fields; becomes the event
function Log:emit(kind, event)
  if self.closed then return end
  local seq = #self.events + 1
  event.v, event.seq, event.at, event.type = 1, seq, clock.wall_ms(), kind
  event.run_id, event.parent_run_id = self.run_id, self.parent_run_id
  self.events[seq] = event
  append_to_all(self.subscriptions, event)
end

--- Logs an event of a round.
---@param kind string
---@param round {name: string, idx: integer, iteration?: integer}
---@param member? string
---@param field? string name of one further field
---@param value any
function Log:tell(kind, round, member, field, value)
  if self.closed then return end
  local seq = #self.events + 1
  local event = {
    v = 1, seq = seq, at = clock.wall_ms(), type = kind, run_id = self.run_id, round = round.name, idx = round.idx,
    member = member,
  }
  if field then event[field] = value end
  if round.iteration then event.iteration = round.iteration end
  if self.parent_run_id then event.parent_run_id = self.parent_run_id end
  self.events[seq] = event
  append_to_all(self.subscriptions, event)
end

-- A reader that has not taken the last piece of the same answer gets it and this one as one.
local function merge(subscription, event)
  local tail = subscription.queue[subscription.last]
  if not tail or tail.type ~= "member_token" or tail.member ~= event.member or tail.kind ~= event.kind
    or tail.attempt ~= event.attempt or tail.idx ~= event.idx then
    return false
  end
  if not subscription.owned[tail] then
    local copy = {}
    for key, value in pairs(tail) do copy[key] = value end
    subscription.owned[copy] = true
    subscription.queue[subscription.last], tail = copy, copy
  end
  tail.text = tail.text .. event.text
  tail.finish_reason = event.finish_reason
  subscription.merged = subscription.merged + 1
  return true
end

--- Hands a member_token event to those that watch tokens.
---@param event table
function Log:token(event)
  if self.closed then return end
  event.v, event.type, event.at, event.after = 1, "member_token", clock.wall_ms(), #self.events
  event.run_id, event.parent_run_id = self.run_id, self.parent_run_id
  for _, subscription in ipairs(self.subscriptions) do
    if subscription.tokens and not merge(subscription, event) then append(subscription, event) end
  end
end

--- No event comes any more; readers end when they have read what there is.
function Log:close()
  self.closed = true
  for _, subscription in ipairs(self.subscriptions) do subscription:finish() end
  self.subscriptions, self.token_watchers = {}, 0
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

--- Ends the subscription; idempotent.
function Subscription:stop()
  self.ended = true
  self.first, self.last, self.queue = 1, 0, {}
  if drop(self.log.subscriptions, self) and self.tokens then
    self.log.token_watchers = self.log.token_watchers - 1
    if self.log.on_watch then self.log.on_watch(self.log.token_watchers > 0) end
  end
  if self.signal then self.signal:notify() end
end

local function take(self)
  local event = self.queue[self.first]
  self.queue[self.first] = nil
  self.first = self.first + 1
  self.owned[event] = nil
  return event
end

--- The next event, or nil when there will be none. Waits.
---@async
---@return curia.Event?
function Subscription:next()
  while self.first > self.last do
    if self.ended then return nil end
    self.signal = self.signal or task.signal()
    self.signal:wait()
  end
  return take(self)
end

--- Subscribes: what was logged from `from_seq` on comes first, then what follows.
---@param opts {from_seq?: integer, tokens?: boolean, live?: fun(emit: fun(event: table))}
--- `live` gives the unfinished answers so far, as one token event each
---@return curia.Subscription
function Log:subscribe(opts)
  local subscription = setmetatable({
    log = self, queue = {}, owned = setmetatable({}, { __mode = "k" }), first = 1, last = 0,
    merged = 0, tokens = opts.tokens ~= false, ended = self.closed,
  }, Subscription)
  for seq = opts.from_seq or 1, #self.events do append(subscription, self.events[seq]) end
  if self.closed then return subscription end
  if subscription.tokens then
    if opts.live then opts.live(function(event) append(subscription, event) end) end
    self.token_watchers = self.token_watchers + 1
  end
  self.subscriptions[#self.subscriptions + 1] = subscription
  if subscription.tokens and self.on_watch then self.on_watch(true) end
  return subscription
end

local function call_with_events(subscription, fn)
  for event in subscription.next, subscription do
    local ok, err = xpcall(fn, debug.traceback, event)
    if not ok then
      subscription:stop()
      log.write("error", ("a subscriber of run %s failed and was detached: %s"):format(
        subscription.log.run_id, tostring(err)))
      return
    end
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
