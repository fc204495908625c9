--- Takes every event of a run from the first to the last: tokens, requests and runs inside of it too.
--
--     local capture = testing.capture()
--     curia.run(council, "Ship?", { subscribe = capture })
--     local capture = testing.capture(curia.start(council, "Ship?"))
--
-- What was logged before is there as well, however late a capture is attached, and an answer under way with its text
-- so far. Requests and the pieces of answers that have ended are told only while they happen.
local errors = require "curia.errors"
local run_class = require "curia.engine.run"
local suggest = require "curia.suggest"
local task = require "curia.task"

local M = {}

---@class curia.testing.Capture
---@field run? curia.Run
local Capture = { __name = "curia.testing.capture" }
Capture.__index = Capture

local TYPES = {
  "run_started", "round_started", "member_started", "member_token", "member_request", "member_retry",
  "member_completed", "round_completed", "tool_started", "tool_completed", "run_blocked", "run_resumed", "log",
  "run_completed", "run_failed",
}

-- ---- attaching --------------------------------------------------------------------------------------

local function is_inside(run, outer)
  local parent = run.parent
  while parent and parent ~= outer do parent = parent.parent end
  return parent == outer
end

-- What a run inside of the captured one has told before now.
local function drain(subscription, events)
  while subscription.first <= subscription.last do events[#events + 1] = subscription:next() end
end

local function told_inside(run)
  local events = {}
  for _, inner in ipairs(run.namespace.runs:items()) do
    if is_inside(inner, run) then
      local subscription <close> = inner:watch()
      drain(subscription, events)
    end
  end
  return events
end

-- Both lists have an order of their own, which is kept; between them, the clock decides.
local function merged(outer, inner)
  local all, at = {}, 1
  for _, event in ipairs(outer) do
    while inner[at] and inner[at].at < event.at do
      all[#all + 1], at = inner[at], at + 1
    end
    all[#all + 1] = event
  end
  return table.move(inner, at, #inner, #all + 1, all)
end

local function catch_up(self)
  drain(self.subscription, self.list)
  local inner = told_inside(self.run)
  if inner[1] then
    table.sort(inner, function(a, b)
      if a.at ~= b.at then return a.at < b.at end
      return a.run_id == b.run_id and (a.seq or a.after) < (b.seq or b.after) or a.run_id < b.run_id
    end)
    self.list = merged(self.list, inner)
  end
end

local function pump(self)
  for event in self.subscription.next, self.subscription do
    self.list[#self.list + 1] = event
    self.news:notify()
  end
  self.news:notify()
end

--- Captures a run; a capture takes one only.
---@param run curia.Run
---@return curia.testing.Capture
function Capture:attach(run)
  if self.run then error("a capture takes one run", 2) end
  self.run = run
  self.subscription = run:watch { requests = true, sub_runs = true }
  catch_up(self)
  task.spawn_root(pump, self)
  return self
end

--- A capture: of a run, or, without one, for `subscribe` in the options of `curia.run` and `curia.start`.
---@param run? curia.Run
---@return curia.testing.Capture
function M.capture(run)
  local made = setmetatable({ list = {}, news = task.signal() }, Capture)
  if run == nil then return made end
  if not run_class.is(run) then error("bad argument #1 to 'capture' (a run expected)", 2) end
  return made:attach(run)
end

-- ---- reading ----------------------------------------------------------------------------------------

--- All events so far, in their order. The list is the capture's own: not to be changed.
---@return curia.Event[]
function Capture:events()
  if self.subscription then drain(self.subscription, self.list) end
  return self.list
end

local function chosen(self, wanted)
  local found = {}
  for _, event in ipairs(self:events()) do
    if wanted(event) then found[#found + 1] = event end
  end
  return found
end

local function check_type(kind, what)
  for _, name in ipairs(TYPES) do
    if name == kind then return end
  end
  error(("%s: no event has the type '%s'%s"):format(what, tostring(kind), suggest.hint(kind, TYPES)), 3)
end

--- The events of a type; a type that there is not raises.
---@param kind string
---@return curia.Event[]
function Capture:of(kind)
  check_type(kind, "of")
  return chosen(self, function(event) return event.type == kind end)
end

--- The events that tell of a member.
---@param id string
---@return curia.Event[]
function Capture:of_member(id)
  return chosen(self, function(event) return event.member == id end)
end

--- What members were asked, as `member_request` events: `member`, `round`, `messages`.
---@return curia.Event[]
function Capture:requests()
  return self:of "member_request"
end

local function is_content(event)
  return event.type == "member_token" and event.kind == "content"
end

local function streamed_text(events)
  local texts, attempt = {}, nil
  for _, event in ipairs(events) do
    if is_content(event) then
      local this = ("%s/%s/%s"):format(event.idx, event.iteration, event.attempt)
      if this ~= attempt then texts, attempt = {}, this end
      texts[#texts + 1] = event.text
    end
  end
  return attempt and table.concat(texts)
end

--- What a member has said last: its answer, or what has come of it.
---@param id string
---@return string?
function Capture:text(id)
  local since = {}
  local events = self:of_member(id)
  for i = #events, 1, -1 do
    local event = events[i]
    local response = event.type == "member_completed" and event.result.response
    if response and not streamed_text(since) then return response.content end
    table.insert(since, 1, event)
  end
  return streamed_text(since)
end

local function types_of(events)
  local names = {}
  for i = math.max(1, #events - 7), #events do names[#names + 1] = events[i].type end
  return #names > 0 and "; the last events were " .. table.concat(names, ", ") or "; there was no event"
end

local function not_come(self, kind, why)
  return errors.new("timeout", ("%s has not come %s%s"):format(kind, why, types_of(self:events())))
end

local function wait(self, kind)
  local found = self:of(kind)[1]
  while not found and not (self.subscription and self.subscription.ended) do
    self.news:wait()
    found = self:of(kind)[1]
  end
  return found
end

--- The first event of a type, which may have come already. Waits.
---@async
---@param kind string
---@param ms? number 10000
---@return curia.Event?
---@return curia.Error? err kind `timeout`: it has not come, or the run has ended without it
function Capture:wait_for(kind, ms)
  check_type(kind, "wait_for")
  ms = ms or 10000
  local ok, found = task.within(ms, wait, self, kind)
  if ok and found then return found end
  return nil, not_come(self, kind, ok and "before the run's end" or ("in %g ms"):format(ms))
end

--- Takes no further events.
function Capture:stop()
  if self.subscription then
    drain(self.subscription, self.list)
    self.subscription:stop()
  end
end

Capture.__close = Capture.stop

return M
