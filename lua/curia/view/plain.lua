--- The view without a terminal's tricks: one line for each thing that happens.
local report = require "curia.view.report"
local state = require "curia.view.state"
local statuses = require "curia.view.status"
local summary = require "curia.view.summary"
local width = require "curia.view.width"
local words = require "curia.view.words"

local M = {}

---@class curia.view.Plain
---@field write fun(text: string)
---@field now fun(): number
---@field state curia.view.State
local Plain = { tokens = false }
Plain.__index = Plain

local function line(self, text)
  self.write(width.clean(text):gsub("\n", " ") .. "\n")
end

-- Nothing beyond ASCII of our own: this is also the view of terminals that know no more.
local function ascii(text)
  return (text:gsub(" · ", ", "):gsub("…", "..."))
end

-- Which of several asks of a member this is about: "ann #2".
local function name_of(self, event)
  local number = event.ask or event.iteration ~= self.state.round.iteration and event.iteration
  return number and ("%s #%d"):format(event.member, number) or event.member
end

local function member_line(self, event, member)
  line(self, ("  %s: %s"):format(name_of(self, event), ascii(statuses.text(member, self.now()))))
end

local on = {}

function on.member_retry(self, event)
  member_line(self, event, self.state.round.by_id[event.member])
end

function on.member_completed(self, event)
  local result = event.result
  member_line(self, event, { status = state.ended(result), result = result, error = result.error })
end

function on.round_started(self, event)
  line(self, ascii(self.state:headline({ name = event.round, idx = event.idx, iteration = event.iteration }, ": ")))
end

function on.member_restarted(self, event)
  line(self, ("  %s: starts its answer again"):format(event.member))
end

function on.round_completed(self, event)
  local decision = summary.decision(event.result.decision)
  local facts = ascii(summary.facts(event.result))
  line(self, ("  %s%s"):format(facts, decision and "; " .. ascii(decision) or ""))
end

function on.tool_call_request(self, event)
  if event.member then line(self, ("  %s: calls %s"):format(name_of(self, event), event.call.name)) end
end

function on.tool_call_result(self, event)
  if not event.member or not event.error then return end
  line(self, ("  %s: %s: %s"):format(name_of(self, event), event.call.name, words.problem(event.error)))
end

function on.run_blocked(self, event)
  if not event.member then return end
  local what = event.call and event.call.name or "its council"
  line(self, ("  %s: %s waits for approval"):format(event.member, what))
end

function on.log(self, event)
  line(self, ("  %s: %s"):format(event.level, event.text))
end

--- Opens the view.
---@param about table as for `state.new`
---@param io {write: fun(text: string), now: fun(): number}
---@return curia.view.Plain
function M.open(about, io)
  local view = setmetatable({ write = io.write, now = io.now, state = state.new(about, io.now()) }, Plain)
  line(view, about.question and ("%s: %s"):format(about.council, about.question) or about.council)
  if about.offline then line(view, report.OFFLINE) end
  return view
end

--- Shows an event.
---@param event curia.Event
function Plain:event(event)
  self.state:apply(event, self.now())
  local handler = on[event.type]
  if handler and self.state:is_own(event) then handler(self, event) end
end

--- Shows a line of the program.
---@param text string
function Plain:say(text)
  line(self, text)
end

--- Calls `fn`, which may ask a person.
---@async
---@return any ... what `fn` gives
function Plain.ask(_, fn, ...)
  return fn(...)
end

--- Nothing to give back.
function Plain.close() end

Plain.__close = Plain.close

return M
