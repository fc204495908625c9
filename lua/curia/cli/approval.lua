--- Calls of tools that need approval, in `curia run`: asked at the terminal, allowed, refused, or left to others.
local ask = require "curia.cli.ask"
local json = require "curia.json"
local lazy = require "curia.lazy"
local recovery = lazy "curia.recovery"
local runs = require "curia.engine.runs"
local task = require "curia.task"
local width = require "curia.view.width"

local M = {}

local LONGEST = 400

--- How calls are decided: what was asked for, else at the terminal where there is one. Without one a durable run waits
--- in its store for somebody.
---@param given? "ask"|"all"|"none"
---@param run curia.Run
---@return "ask"|"all"|"none"|"wait"
function M.mode(given, run)
  if given and given ~= "ask" then return given end
  if ask.possible() then return "ask" end
  return run.root and "wait" or "none"
end

--- The question about a call.
---@param event curia.Event run_blocked
---@return string
function M.question(event)
  local arguments = json.encode(event.call.arguments or {}) or "?"
  if #arguments > LONGEST then arguments = arguments:sub(1, LONGEST) .. "..." end
  return width.clean(("%s wants to call %s %s"):format(event.member or "the council", event.call.name, arguments))
    .. "\nallow it? [y]es, [n]o, or why not: "
end

local YES = { y = true, yes = true }
local NO = { n = true, no = true, [""] = true }

--- What an answer means.
---@param line? string nil: nobody answers
---@return boolean allowed
---@return string? note for the model
function M.read(line)
  if not line then return false, "nobody is there to approve it" end
  local word = line:lower():match "^%s*(.-)%s*$"
  if YES[word] then return true end
  if NO[word] then return false, "the user refused it" end
  return false, line
end

local function tell(view, event, allowed)
  view:say(("%s %s"):format(event.call.name, allowed and "was allowed" or "was refused"))
end

local function ask_user(event, view)
  local allowed, note = M.read(view:ask(ask.line, M.question(event)))
  tell(view, event, allowed)
  runs.approve(event.run_id, event.call.id, allowed, note)
end

local by = {} -- by the mode

-- The view goes on meanwhile.
function by.ask(event, view)
  task.spawn(ask_user, event, view)
end

function by.all(event, view)
  tell(view, event, true)
  runs.approve(event.run_id, event.call.id, true)
end

function by.none(event, view)
  view:say(("%s needs approval, and nobody can give it here: refused"):format(event.call.name))
  runs.approve(event.run_id, event.call.id, false, "nobody is there to approve it")
end

-- Nobody could decide who does not know of it, so that it is told where nothing else is, too.
local function tell_command(view, text)
  if view.silent then io.stderr:write(text, "\n") else view:say(text) end
end

-- Decisions are addressed to the outermost run. What else is under way may end.
local function leave(event, view, run)
  local asking = runs.find(event.run_id)
  if not (asking and asking:is_waiting_for(event.call.id)) then return end
  tell_command(view, ("%s needs approval: curia approve %s %s yes|no"):format(event.call.name, run.id, event.call.id))
  recovery.release()
end

function by.wait(event, view, run)
  task.spawn_root(leave, event, view, run)
end

--- Decides about a call that waits.
---@async
---@param event curia.Event run_blocked, with a call
---@param view table
---@param mode "ask"|"all"|"none"|"wait"
---@param run curia.Run the outermost
function M.decide(event, view, mode, run)
  by[mode](event, view, run)
end

return M
