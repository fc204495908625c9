--- What a view knows of a run: the run's events, folded into rounds and members. No input, no output.
local flow = require "curia.view.flow"

local M = {}

---@class curia.view.Member
---@field id string
---@field model? string
---@field status "waiting"|"streaming"|"thinking"|"asking"|"retrying"|"done"|"failed"|"skipped"
---@field since number when the status began, in ms of the view's clock
---@field asked number when the member was asked
---@field error? curia.Error why it failed, or why it tries again
---@field wait_ms? number how long it waits before it tries again
---@field result? curia.MemberResult
---@field text string[] the pieces of the answer so far
---@field asks integer how many asks of the member are under way: a round may ask several times at once
---@field iteration? integer the ask whose words are shown
---@field flow? curia.view.Flow the same, broken into lines

---@class curia.view.Round
---@field name string
---@field idx integer
---@field iteration? integer inside of a round that repeats it
---@field started number
---@field members curia.view.Member[] in the order of the council
---@field by_id table<string, curia.view.Member>

---@class curia.view.State
---@field council string
---@field question? string
---@field offline boolean
---@field planned curia.view.PlannedRound[] the rounds that are known beforehand
---@field round? curia.view.Round the round that is going on
---@field started number
local State = {}
State.__index = State

---@class curia.view.PlannedRound
---@field name string
---@field members string[] ids of those that take part
---@field chair boolean the chair's own round: its answer is the council's

--- Makes the state of a run that has not begun.
---@param about {council: string, question?: string, offline?: boolean, planned?: curia.view.PlannedRound[]}
---@param now number
---@return curia.view.State
function M.new(about, now)
  return setmetatable({
    council = about.council, question = about.question, offline = about.offline == true,
    planned = about.planned or {}, started = now,
  }, State)
end

local function new_member(id, now)
  return { id = id, status = "waiting", since = now, asked = now, text = {}, asks = 0 }
end

local function add_member(round, id, now)
  local member = new_member(id, now)
  round.members[#round.members + 1] = member
  round.by_id[id] = member
  return member
end

local function enter(self, name, idx, now, iteration)
  local round = { name = name, idx = idx, iteration = iteration, started = now, members = {}, by_id = {} }
  local planned = self.planned[idx]
  for _, id in ipairs(planned and planned.members or {}) do add_member(round, id, now) end
  round.chair = planned ~= nil and planned.chair
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
  member.status, member.since = status, now
end

local function forget_text(member)
  member.text, member.flow = {}, nil
end

local on = {}

function on.round_started(self, event, now)
  enter(self, event.round, event.idx, now, event.iteration)
end

function on.member_started(self, event, now)
  local member = member_of(self, event, now)
  member.asks = member.asks + 1
  if member.asks > 1 then return end
  member.iteration = event.iteration
  member.model, member.asked = event.model, now
  forget_text(member)
  set(member, "asking", now)
end

local function hear(member, text)
  member.text[#member.text + 1] = text
  if member.flow then member.flow:feed(text) end
end

function on.member_token(self, event, now)
  local member = member_of(self, event, now)
  if event.iteration ~= member.iteration then return end
  local status = event.kind == "reasoning" and "thinking" or "streaming"
  if member.status ~= status then set(member, status, now) end
  if status == "streaming" then hear(member, event.text) end
end

function on.member_retry(self, event, now)
  local member = member_of(self, event, now)
  member.error, member.wait_ms = event.error, event.wait_ms
  set(member, "retrying", now)
end

function on.member_restarted(self, event, now)
  local member = member_of(self, event, now)
  forget_text(member)
  set(member, "asking", now)
end

local ENDS = { ok = "done", skipped = "skipped", eliminated = "skipped" }

-- What was not streamed arrives here, whole.
local function hear_rest(member, result)
  local response = result.response
  if result.status == "ok" and #member.text == 0 and response and response.content then
    hear(member, response.content)
  end
end

--- How a result stands for its member.
---@param result curia.MemberResult
---@return "done"|"failed"|"skipped"
function M.ended(result)
  return ENDS[result.status] or "failed"
end

-- The last of several asks at once ends the member's part, for the time being; the round may settle it in its own way.
function on.member_completed(self, event, now)
  local member, result = member_of(self, event, now), event.result
  member.asks = math.max(0, member.asks - 1)
  if member.asks > 0 then return end
  if event.iteration ~= member.iteration then forget_text(member) end
  member.result, member.error = result, result.error
  member.model = result.model or member.model
  hear_rest(member, result)
  set(member, M.ended(result), now)
end

--- Takes an event in.
---@param event curia.Event
---@param now number ms of the view's clock
function State:apply(event, now)
  local handler = on[event.type]
  if handler then handler(self, event, now) end
end

--- Leaves the round: between two rounds there is nothing to show.
function State:leave_round()
  self.round = nil
end

--- The lines of a member's answer so far, for a column of a certain width.
---@param member curia.view.Member
---@param columns integer
---@return curia.view.Flow
function M.flow_of(member, columns)
  if not member.flow or member.flow.columns ~= columns then
    member.flow = flow.new(columns)
    member.flow:feed(table.concat(member.text))
  end
  return member.flow
end

--- "round 2 of 3 · peer_review · iteration 1": how many rounds there will be is said where it is known.
---@param round {name: string, idx?: integer, iteration?: integer}
---@param separator? string
---@return string
function State:headline(round, separator)
  local count = #self.planned
  local place = round.idx and (count >= round.idx and ("round %d of %d"):format(round.idx, count)
    or ("round %d"):format(round.idx)) or "round"
  local iteration = round.iteration and (" · iteration %d"):format(round.iteration) or ""
  return place .. (separator or " · ") .. round.name .. iteration
end

return M
