--- What strategies of confidence may ask further about an answer: samples of the same question, and questions of their
--- own to the same member. All go the way of every attempt, and count as the member's own.
local clock = require "curia.core.clock"
local structured = require "curia.engine.structured"
local task = require "curia.task"
local tries = require "curia.engine.tries"

local M = {}

---@class curia.Probe
local Probe = {}
Probe.__index = Probe

-- Nobody watches these answers grow: they come whole, under the time limits of whole ones.
local unstreamed = setmetatable({}, { __mode = "k" })

local function without_stream(member)
  if not member.stream then return member end
  if not unstreamed[member] then
    local copy = {}
    for name, value in pairs(member) do copy[name] = value end
    copy.stream = false
    unstreamed[member] = copy
  end
  return unstreamed[member]
end

local function side_turn(turn)
  return {
    run = turn.run, ctx = turn.ctx, round = turn.round, member = without_stream(turn.member), build = turn.build,
    parse = turn.parse, attempts = 0, started_us = clock.us(), retry = turn.retry, deadline_at = turn.deadline_at,
    read = turn.read, request = turn.request, confidence = turn.confidence,
  }
end

-- However it ends, its attempts are the member's, and none of them goes on.
local Counted = { __close = function(counted)
  local turn, side = counted.turn, counted.side
  turn.attempts = turn.attempts + side.attempts
  turn.run.attempts[side] = nil
end }

local function tell_failure(turn, what, err)
  turn.run.log:emit("log", { level = "warn",
    text = ("%s of member %s failed: %s"):format(what, turn.member.id, tostring(err)) })
end

local function ask(turn, what, door, request)
  local side = side_turn(turn)
  local _ <close> = setmetatable({ turn = turn, side = side }, Counted)
  local response, err = door(side, request)
  if not response then tell_failure(turn, what, err) end
  return response, err
end

--- A probe of a member's answer.
---@param turn curia.Turn
---@param request table what the member is asked
---@return curia.Probe
function M.new(turn, request)
  return setmetatable({ _turn = turn, _request = request,
    _messages = table.move(request.messages, 1, #request.messages, 1, {}) }, Probe)
end

local SAMPLE_TEMPERATURE = 1 -- as in Farquhar et al. 2024

-- A seed would make all samples the same.
local function sample_request(probe, i, temperature)
  local request = probe._request
  return setmetatable({
    messages = table.move(probe._messages, 1, #probe._messages, 1, {}), stream = false,
    temperature = temperature or SAMPLE_TEMPERATURE, seed = request.seed and request.seed + i or nil,
  }, { __index = request })
end

local function good(turn, responses, failures)
  local found = {}
  for i, response in ipairs(responses) do
    if response then found[#found + 1] = response end
    if failures[i] then tell_failure(turn, "a sample", failures[i]) end
  end
  return found
end

--- Further answers to the same question, asked for at the same time. One that fails is left out.
---@async
---@param count integer
---@param temperature? number 1
---@return table[] responses in the order in which they were asked for
function Probe:samples(count, temperature)
  local asks = {}
  for i = 1, count do
    asks[i] = function()
      return ask(self._turn, "a sample", structured.answer, sample_request(self, i, temperature)) or false
    end
  end
  return good(self._turn, task.all(asks))
end

--- Asks the member a question that has nothing to do with its role: without its system prompt, tools and schema.
---@async
---@param text string
---@param temperature? number 0
---@return table? response
---@return curia.Error? err
function Probe:ask(text, temperature)
  if type(text) ~= "string" then error("bad argument #1 to 'ask' (a text expected)", 2) end
  local turn = self._turn
  local member = turn.member
  return ask(turn, "a question about an answer", tries.answer, {
    messages = { { role = "user", content = text } }, plain = true, stream = false, model = member.model,
    temperature = temperature or 0, reasoning = member.reasoning, extra = member.extra, member = member.id,
    provider = member.provider_name, round = turn.round.name, run_id = turn.run.id,
  })
end

return M
