--- A member's conversation with its model, from the first request to the response that ends it: calls of tools
--- and their results stand in between (SPEC 7).
local cost = require "curia.cost"
local errors = require "curia.errors"
local task = require "curia.task"
local tool_call = require "curia.engine.tool_call"
local toolbox = require "curia.engine.toolbox"
local tries = require "curia.engine.tries"

local M = {}

local MAX_ROUNDS, MOST_AT_ONCE = 8, 8

-- ---- the calls of one response --------------------------------------------------------------------

-- Vendors without ids get theirs from us, anew in each response.
local function name_calls(turn, calls)
  for i, call in ipairs(calls) do
    if call.made_id then call.id = ("call_%d_%d"):format(turn.tool_rounds, i) end
  end
end

local function note_call(turn, call, outcome)
  turn.tool_calls[#turn.tool_calls + 1] = {
    id = call.id, name = call.name, arguments = call.arguments, round = turn.tool_rounds,
    status = outcome.error and "error" or "ok", error = outcome.error and outcome.error.message,
    duration_ms = outcome.duration_ms,
  }
end

local function fatal_error(turn, call, outcome)
  if not outcome.failed or turn.member.tool_errors ~= "fail_fast" then return nil end
  return errors.new("tool", outcome.error.message, {
    reason = outcome.error.reason, code = outcome.error.code, traceback = outcome.error.traceback,
    context = { tool = call.name, call = call.id, kind = outcome.error.kind },
  })
end

local function cancel_all(places)
  local going_on = {}
  for spawned, i in pairs(places) do going_on[#going_on + 1] = { i = i, task = spawned } end
  table.sort(going_on, function(a, b) return a.i < b.i end)
  for _, one in ipairs(going_on) do one.task:cancel("another tool has failed") end
end

local function spawner(turn, box, calls, places)
  local group, last = task.group(), 0
  return group, function()
    last = last + 1
    if calls[last] then places[group:spawn(tool_call.perform, turn, box, calls[last])] = last end
  end
end

-- The outcomes in the order of the calls, however they end; or the failure that ends the turn.
local function call_all(turn, box, calls)
  local outcomes, places, fatal = {}, {}, nil
  local group, spawn_next = spawner(turn, box, calls, places)
  for _ = 1, turn.member.tool_concurrency or MOST_AT_ONCE do spawn_next() end
  for ended in group:each() do
    local i = places[ended]
    places[ended] = nil
    local ok, outcome = ended:result()
    if ok then outcomes[i], fatal = outcome, fatal or fatal_error(turn, calls[i], outcome)
    elseif not fatal then error(outcome, 0) end
    if fatal then cancel_all(places) else spawn_next() end
  end
  for i, call in ipairs(calls) do
    if outcomes[i] then note_call(turn, call, outcomes[i]) end
  end
  return not fatal and outcomes or nil, fatal
end

-- ---- the messages ---------------------------------------------------------------------------------

local function add_messages(request, response, outcomes)
  local messages = table.move(request.messages, 1, #request.messages, 1, {})
  messages[#messages + 1] = {
    role = "assistant", content = response.content, tool_calls = response.tool_calls,
    provider_parts = response.provider_parts,
  }
  for i, call in ipairs(response.tool_calls) do
    messages[#messages + 1] = {
      role = "tool", tool_call_id = call.id, name = call.name, content = outcomes[i].text,
      is_error = outcomes[i].error and true or nil,
    }
  end
  request.messages, request.plain = messages, false
end

-- A choice that forces a call holds for the first request: else the conversation would never end.
local function offer(turn, request, box)
  local choice = turn.member.tool_choice
  if turn.tool_rounds > 0 and choice and choice ~= "none" then choice = "auto" end
  request.tools, request.tool_choice, request.parallel_tools = box.tools, choice, turn.member.parallel_tools
end

-- ---- the loop -------------------------------------------------------------------------------------

local function loop_error(turn, limit)
  return errors.new("tool_loop", ("member %s: the model still calls tools after %d rounds of them"):format(
    turn.member.id, limit))
end

-- Answers the calls of a response; false when it has none. Those of one that was cut off are answered too: the
-- model is told that their arguments cannot be read.
local function answer_calls(turn, request, box, response)
  local calls = response.tool_calls
  if not calls or not calls[1] then return false end
  local limit = turn.member.max_tool_rounds or MAX_ROUNDS
  if turn.tool_rounds >= limit then return nil, loop_error(turn, limit) end
  turn.tool_rounds = turn.tool_rounds + 1
  name_calls(turn, calls)
  local outcomes, err = call_all(turn, box, calls)
  if not outcomes then return nil, err end
  add_messages(request, response, outcomes)
  return true
end

local function sum_usage(a, b)
  local sum = {}
  for name, count in pairs(a or {}) do sum[name] = count end
  for name, count in pairs(b or {}) do sum[name] = (sum[name] or 0) + count end
  return sum
end

-- What all responses together have used stands in the last. A cost that is not known stays unknown.
local function total(before, response)
  if not before then return end
  response.usage = sum_usage(before.usage, response.usage)
  response.cost = before.cost and response.cost and cost.add(before.cost, response.cost)
end

local function converse(turn, request)
  local box, err = toolbox.open(turn.member.tools, turn.run.journal)
  if not box then return nil, err end
  turn.tool_rounds, turn.tool_calls = turn.tool_rounds or 0, turn.tool_calls or {}
  local before
  while true do
    offer(turn, request, box)
    local response, failure = tries.answer(turn, request)
    if not response then return nil, failure end
    total(before, response)
    before, turn.answered = response, response
    local more
    more, failure = answer_calls(turn, request, box, response)
    if not more then return more == false and response or nil, failure end
  end
end

--- The response that ends the conversation; its usage is that of all requests. The request is left as the last
--- one was sent, so that a repair goes on with the same conversation.
---@async
---@param turn curia.Turn
---@param request table neutral request
---@return table? response
---@return curia.Error? err kinds `tool` (fail_fast), `tool_loop`, and those of the tries
function M.answer(turn, request)
  if not turn.member.tools then return tries.answer(turn, request) end
  return converse(turn, request)
end

return M
