--- What a view knows of a run: the run's events, folded into rounds and members. No input, no output.
local streams = require "curia.view.stream"
local totals = require "curia.view.totals"

local M = {}

---@class curia.view.Member
---@field id string
---@field model? string
---@field status curia.view.Status
---@field since number when the status began, in ms of the view's clock
---@field asked number when the member was asked
---@field error? curia.Error why it failed, or why it tries again
---@field wait_ms? number how long it waits before it tries again
---@field tries? integer attempts so far, where it tries again
---@field result? curia.MemberResult
---@field shown curia.view.Stream the ask whose words are shown
---@field asks curia.view.Stream[] those under way: a round may ask several times at once
---@field ended integer how many asks are over
---@field samples? integer how many there will be at most
---@field tool? string the tool that it calls
---@field inner? curia.view.State of the council that the member is

---@alias curia.view.Status
---| "waiting"|"asking"|"thinking"|"streaming"|"calling"|"blocked"|"retrying"|"done"|"failed"|"skipped"

---@class curia.view.Round
---@field name string
---@field idx integer
---@field iteration? integer inside of a round that repeats it
---@field iterations? integer how often it is run at most
---@field samples? integer how often each member is asked
---@field chair boolean the chair's own round
---@field left? integer how many a bracket still has in
---@field started number
---@field members curia.view.Member[] in the order of the council
---@field by_id table<string, curia.view.Member>

---@class curia.view.State
---@field council string
---@field run_id? string of the run that is shown; events of others belong to runs inside of it
---@field question? string
---@field offline boolean
---@field budget? {usd?: number, tokens?: integer}
---@field planned curia.view.PlannedRound[] the rounds that are known beforehand
---@field round? curia.view.Round the round that is going on
---@field totals curia.view.Totals
---@field started number
---@field inner table<string, curia.view.State> the runs inside of this one, by id
---@field member? string whose run this is, inside of another
local State = {}
State.__index = State

---@class curia.view.PlannedRound
---@field name string
---@field members string[] ids of those that take part
---@field chair boolean the chair's own round: its answer is the council's
---@field samples? integer how often each is asked
---@field iterations? integer how often the round is run at most

---@class curia.view.About what is known of a run beforehand
---@field council string
---@field question? string
---@field offline? boolean
---@field budget? {usd?: number, tokens?: integer}
---@field planned? curia.view.PlannedRound[]

--- Makes the state of a run that has not begun.
---@param about curia.view.About
---@param now number
---@return curia.view.State
function M.new(about, now)
  return setmetatable({
    council = about.council, question = about.question, offline = about.offline == true, budget = about.budget,
    planned = about.planned or {}, started = now, totals = totals.new(), inner = {},
  }, State)
end

local function new_member(id, now)
  return { id = id, status = "waiting", since = now, asked = now, shown = streams.new {}, asks = {}, ended = 0 }
end

local function add_member(round, id, now)
  local member = new_member(id, now)
  member.samples = round.samples
  round.members[#round.members + 1] = member
  round.by_id[id] = member
  return member
end

local function enter(self, name, idx, now, iteration)
  local planned = self.planned[idx] or {}
  local round = {
    name = name, idx = idx, iteration = iteration, started = now, members = {}, by_id = {},
    samples = planned.samples, iterations = planned.iterations, chair = planned.chair == true, left = self.left,
  }
  for _, id in ipairs(planned.members or {}) do add_member(round, id, now) end
  self.round = round
end

-- A member may speak outside of any round (`ctx:ask` in free Lua): then its word opens one.
local function member_of(self, event, now)
  local round = self.round
  if not round or round.idx ~= event.idx or round.name ~= event.round then
    enter(self, event.round or "asked", event.idx, now)
    round = self.round
  end
  return round.by_id[event.member] or add_member(round, event.member, now)
end

local function set(member, status, now)
  if member.status == status then return end
  member.status, member.since = status, now
end

local function stream_of(member, event)
  for i, stream in ipairs(member.asks) do
    if stream:is_of(event) then return stream, i end
  end
end

local on = {}

function on.run_started(self, event)
  self.run_id = self.run_id or event.run_id
end

function on.round_started(self, event, now)
  enter(self, event.round, event.idx, now, event.iteration)
end

function on.member_started(self, event, now)
  local member, stream = member_of(self, event, now), streams.new(event)
  member.asks[#member.asks + 1] = stream
  if #member.asks > 1 then return end
  member.shown, member.model, member.asked = stream, event.model, now
  set(member, "asking", now)
end

function on.member_token(self, event, now)
  local member = member_of(self, event, now)
  local stream = stream_of(member, event) or member.shown
  if not stream:is_of(event) then return end
  stream:hear(event.kind, event.text)
  if stream == member.shown then set(member, stream.status, now) end
end

function on.member_retry(self, event, now)
  local member = member_of(self, event, now)
  member.error, member.wait_ms, member.tries = event.error, event.wait_ms, event.attempt
  member.model = event.model or member.model -- the one that is asked next
  member.status, member.since = "retrying", now
end

function on.member_restarted(self, event, now)
  local member = member_of(self, event, now)
  local stream = stream_of(member, event) or member.shown
  stream:forget()
  if stream == member.shown then set(member, "asking", now) end
end

function on.tool_call_request(self, event, now)
  local member = event.round and member_of(self, event, now)
  if not member then return end
  member.tool = event.call.name
  set(member, "calling", now)
end

function on.tool_call_result(self, event, now)
  local member = event.round and member_of(self, event, now)
  if member and member.asks[1] then set(member, "asking", now) end
end

-- A call inside of a member's own council is named by the event of that run.
function on.run_blocked(self, event, now)
  local round = self.round
  local member = round and round.by_id[event.member]
  if not member then return end
  member.tool = event.call and event.call.name
  set(member, "blocked", now)
end

function on.run_resumed(self, _, now)
  for _, member in ipairs(self.round and self.round.members or {}) do
    if member.status == "blocked" then set(member, member.tool and "calling" or "asking", now) end
  end
end

local ENDS = { ok = "done", skipped = "skipped", eliminated = "skipped" }

-- What was not streamed arrives here, whole.
local function hear_rest(stream, result)
  local response = result.response
  if result.status == "ok" and not stream.text[1] and response and response.content then
    stream:hear("content", response.content)
  end
end

--- How a result stands for its member.
---@param result curia.MemberResult
---@return "done"|"failed"|"skipped"
function M.ended(result)
  return ENDS[result.status] or "failed"
end

-- The next of several asks is shown when the one that was shown is over.
local function show_next(member, ended, now)
  if member.shown ~= ended then return end
  member.shown = member.asks[1]
  set(member, member.shown.status, now)
end

local function settle(member, stream, result, now)
  member.shown, member.result, member.error = stream, result, result.error
  member.model = result.model or member.model
  hear_rest(stream, result)
  set(member, M.ended(result), now)
end

-- The end of an ask. A result without one is what the round makes of several, or of none.
local function end_ask(self, member, event)
  local stream, i = stream_of(member, event)
  if not stream then
    local shown = member.shown
    return shown:is_of(event) and shown or streams.new(event)
  end
  table.remove(member.asks, i)
  member.ended = member.ended + 1
  totals.add_response(self.totals, event.result.response)
  if member.inner then self.inner[member.inner.run_id] = nil end
  member.inner = nil
  return stream
end

function on.member_completed(self, event, now)
  local member = member_of(self, event, now)
  local stream = end_ask(self, member, event)
  if member.asks[1] then return show_next(member, stream, now) end
  settle(member, stream, event.result, now)
end

function on.round_completed(self, event)
  local decision = event.result.decision
  local detail = type(decision) == "table" and type(decision.detail) == "table" and decision.detail or {}
  self.left = detail.still_in and #detail.still_in
end

-- A run inside of this one opens with the name of the member that it is.
local function open_inner(self, event, now)
  local member = self.round and self.round.by_id[event.parent_member]
  if event.type ~= "run_started" or event.parent_run_id ~= self.run_id or not member then return nil end
  local inner = M.new({ council = event.council }, now)
  inner.member = event.parent_member
  self.inner[event.run_id], member.inner = inner, inner
  return inner
end

local function apply_inside(self, event, now)
  local inner = self.inner[event.run_id] or open_inner(self, event, now)
  if inner then return inner:apply(event, now) end
  for _, each in pairs(self.inner) do each:apply(event, now) end
end

--- Takes an event in: the run's own, or one of a run inside of it.
---@param event curia.Event
---@param now number ms of the view's clock
function State:apply(event, now)
  if self.run_id and event.run_id ~= self.run_id and event.run_id then return apply_inside(self, event, now) end
  local handler = on[event.type]
  if handler then handler(self, event, now) end
end

--- Whether an event is the run's own, and not one of a run inside of it.
---@param event curia.Event
---@return boolean
function State:is_own(event)
  return event.run_id == nil or self.run_id == nil or event.run_id == self.run_id
end

--- The state of the run that an event belongs to, which may be one inside of this run.
---@param event curia.Event
---@return curia.view.State? state nil where the run is not known (any more)
---@return string? path of the members that stand around it: "panel > "
function State:place_of(event)
  if self:is_own(event) then return self, "" end
  for _, inner in pairs(self.inner) do
    local place, path = inner:place_of(event)
    if place then return place, inner.member .. " > " .. path end
  end
end

--- What the run and those inside of it have used so far.
---@return curia.view.Totals
function State:used()
  local sum = totals.new()
  totals.add(sum, self.totals)
  for _, inner in pairs(self.inner) do totals.add(sum, inner:used()) end
  return sum
end

--- Leaves the round: between two rounds there is nothing to show.
function State:leave_round()
  self.round = nil
end

local function iteration_text(round)
  if not round.iteration then return "" end
  local most = round.iterations and (" of ≤%d"):format(round.iterations) or ""
  return (" · iteration %d%s"):format(round.iteration, most)
end

--- "round 2 of 3 · peer_review · iteration 1": how many rounds there will be is said where it is known.
---@param round {name: string, idx?: integer, iteration?: integer, iterations?: integer}
---@param separator? string
---@return string
function State:headline(round, separator)
  local count = #self.planned
  local place = round.idx and (count >= round.idx and ("round %d of %d"):format(round.idx, count)
    or ("round %d"):format(round.idx)) or "round"
  return place .. (separator or " · ") .. round.name .. iteration_text(round)
end

return M
