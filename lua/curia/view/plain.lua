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

-- Whom an event is about: "ann", which of several asks of hers "ann #2", inside of a council "panel > ann".
local function name_of(event, place, path)
  local number = event.ask or event.iteration ~= place.round.iteration and event.iteration
  return path .. (number and ("%s #%d"):format(event.member, number) or event.member)
end

local function tell(self, event, place, path, text)
  line(self, ("  %s: %s"):format(name_of(event, place, path), ascii(text)))
end

local on_member = {}

function on_member.member_retry(self, event, place)
  return statuses.text(place.round.by_id[event.member], self.now())
end

function on_member.member_completed(self, event)
  local result = event.result
  return statuses.text({ status = state.ended(result), result = result, error = result.error }, self.now())
end

function on_member.member_restarted()
  return "starts its answer again"
end

function on_member.tool_call_request(_, event)
  return "calls " .. event.call.name
end

function on_member.tool_call_result(_, event)
  return event.error and ("%s: %s"):format(event.call.name, words.problem(event.error))
end

function on_member.run_blocked(_, event)
  return event.call and event.call.name .. " waits for approval"
end

local on_run = {}

function on_run.round_started(self, event)
  line(self, ascii(self.state:headline({ name = event.round, idx = event.idx, iteration = event.iteration }, ": ")))
end

function on_run.round_completed(self, event)
  local decision = summary.decision(event.result.decision)
  local facts = ascii(summary.facts(event.result))
  line(self, ("  %s%s"):format(facts, decision and "; " .. ascii(decision) or ""))
end

function on_run.log(self, event)
  line(self, ("  %s: %s"):format(event.level, event.text))
end

local function show_member(self, event)
  local place, path = self.state:place_of(event)
  if not (event.member and place and place.round) then return end
  local text = on_member[event.type](self, event, place)
  if text then tell(self, event, place, path, text) end
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
  if on_member[event.type] then return show_member(self, event) end
  local handler = on_run[event.type]
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
