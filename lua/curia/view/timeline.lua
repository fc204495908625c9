--- The view of `--verbose`: when what happened, for whoever wants to know why a run takes its time.
local report = require "curia.view.report"
local verbose = require "curia.verbose"
local width = require "curia.view.width"

local M = {}

---@class curia.view.Timeline
---@field write fun(text: string)
---@field level true|"debug"
---@field started_at? integer Unix ms of the first event
local Timeline = { tokens = false }
Timeline.__index = Timeline

--- Opens the view.
---@param about table as for `state.new`
---@param level true|"debug" "debug" adds prompts and answers
---@param write fun(text: string)
---@return curia.view.Timeline
function M.open(about, level, write)
  local view = setmetatable({ write = write, level = level }, Timeline)
  if about.offline then view:say(report.OFFLINE) end
  return view
end

--- Shows an event.
---@param event curia.Event
function Timeline:event(event)
  self.started_at, self.run_id = self.started_at or event.at, self.run_id or event.run_id
  if event.run_id ~= self.run_id then return end -- of a run inside of this one
  for _, line in ipairs(verbose.lines(event, self.started_at, self.level)) do self:say(line) end
end

--- Shows a line of the program.
---@param text string
function Timeline:say(text)
  self.write(width.clean(text) .. "\n")
end

--- Calls `fn`, which may ask a person.
---@async
---@return any ... what `fn` gives
function Timeline.ask(_, fn, ...)
  return fn(...)
end

--- Nothing to give back.
function Timeline.close() end

Timeline.__close = Timeline.close

return M
