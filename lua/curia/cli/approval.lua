--- Calls of tools that need approval, in `curia run`: asked at the terminal, allowed, or refused.
local ask = require "curia.cli.ask"
local json = require "curia.json"
local runs = require "curia.engine.runs"
local task = require "curia.task"
local width = require "curia.view.width"

local M = {}

local LONGEST = 400

--- How calls are decided: what was asked for, else at the terminal where there is one.
---@param given? "ask"|"all"|"none"
---@return "ask"|"all"|"none"
function M.mode(given)
  if given and given ~= "ask" then return given end
  return ask.possible() and "ask" or "none"
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

--- Decides about a call that waits.
---@async
---@param event curia.Event run_blocked, with a call
---@param view table
---@param mode "ask"|"all"|"none"
function M.decide(event, view, mode)
  if mode == "ask" then
    task.spawn(ask_user, event, view) -- the view goes on meanwhile
  elseif mode == "all" then
    tell(view, event, true)
    runs.approve(event.run_id, event.call.id, true)
  else
    view:say(("%s needs approval, and nobody can give it here: refused"):format(event.call.name))
    runs.approve(event.run_id, event.call.id, false, "nobody is there to approve it")
  end
end

return M
