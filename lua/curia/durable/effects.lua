--- What the engine has done outside of a durable run: calls of models and tools, steps of scripts.
local attempts = require "curia.engine.attempt"
local call = require "curia.engine.call"
local clock = require "curia.core.clock"
local errors = require "curia.errors"
local system = require "curia.core.system"
local user_code = require "curia.engine.user_code"

local M = {}

-- ---- paths ----------------------------------------------------------------------------------------

-- "2/peer_review/skeptic": the first of them; further ones are numbered by the journal.
local function place_of(round, member)
  local place = (round.idx or 0) .. "/" .. (round.name or "run")
  if round.iteration then place = place .. "/" .. round.iteration end
  if round.ask then place = place .. "/ask" .. round.ask end
  return place .. "/" .. member.id
end

-- Effects of a run inside of the run stand below the id that it has whenever it is resumed.
local function path_of(run, rest)
  return run.depth and run.id .. "/" .. rest or rest
end

-- What a tool or a step asks for stands below it.
local function place_below(ctx, id)
  return ctx._below and ctx._below .. "/" .. id
end

-- ---- models ---------------------------------------------------------------------------------------

local function tools_of(request)
  if not request.tools then return nil end
  local tools = {}
  for i, tool in ipairs(request.tools) do
    tools[i] = { name = tool.name, about = tool.about, parameters = tool.parameters }
  end
  return tools
end

-- The neutral request, not the vendor's bytes: what the answer depends on.
local function input_of(model, request)
  return {
    provider = model.provider_name, model = request.model, messages = request.messages, input = request.input,
    temperature = request.temperature, top_p = request.top_p, max_tokens = request.max_tokens, seed = request.seed,
    stop = request.stop, reasoning = request.reasoning, schema = request.schema, tools = tools_of(request),
    tool_choice = request.tool_choice, extra = request.extra,
  }
end

-- What the program outside does to an attempt, the run sees with its outcome alone.
local function outside(attempt, elapsed_us)
  local turn = attempt.turn
  local live = attempts.new(turn)
  live.counts, live.turn_started_us, live.on_begun = false, clock.us() - elapsed_us, function() end
  return live
end

-- The same for a call that is repeated, and for no other.
local function key_of(made, model)
  local journal, provider = made.journal, model.provider
  if not (provider and provider.idempotency_key) then return nil end
  return system.sha256(("%s/%s/%s"):format(journal.run.namespace.name, journal.run.id, made.path))
end

local function carry_out(attempt, model, request, prices, elapsed_us)
  return function(made)
    local turn = attempt.turn
    local live = outside(attempt, elapsed_us)
    live.idempotency_key = key_of(made, model)
    if turn.pilot then live.on_begun = function() made.journal:answer_begins(made) end end
    local response, err = call.attempt(live, model, request, prices)
    return {
      response = response, error = err, sent = live.sent or false, content_seen = live.content_seen or false,
      first_token_ms = live.first_token_ms or nil,
    }
  end
end

-- An attempt that was not let in by the gate has not been made.
local function settle(attempt, outcome)
  local turn = attempt.turn
  attempt.sent, attempt.content_seen = outcome.sent, outcome.content_seen
  if not outcome.sent then turn.attempts = turn.attempts - 1 end
  turn.first_token_ms = turn.first_token_ms or outcome.first_token_ms
end

--- One attempt, as `attempt` of curia.engine.call.
---@async
---@param attempt curia.Attempt
---@param model table
---@param request table neutral request
---@param prices? table<string, curia.Price>
---@return table? response
---@return curia.Error? err
function M.attempt(attempt, model, request, prices)
  local turn = attempt.turn
  local run = turn.run
  turn.attempts, attempt.sent = turn.attempts + 1, true
  local outcome = run.journal:effect {
    path = place_below(turn.ctx, turn.member.id) or path_of(run, place_of(turn.round, turn.member)),
    kind = "call", input = input_of(model, request),
    perform = carry_out(attempt, model, request, prices, clock.us() - turn.started_us),
    begun = turn.pilot and function() turn.pilot:release() end,
  }
  settle(attempt, outcome)
  return outcome.response, outcome.error
end

--- The same for vectors, which nobody watches.
---@async
---@param attempt curia.Attempt
---@param model table
---@param request table
---@param prices? table<string, curia.Price>
---@return table? response
---@return curia.Error? err
function M.embed(attempt, model, request, prices)
  local run = attempt.turn.run
  local outcome = run.journal:effect {
    path = path_of(run, "embeddings"), kind = "call", input = input_of(model, request),
    perform = function()
      local response, err = call.attempt(attempt, model, request, prices)
      return { response = response, error = err }
    end,
  }
  return outcome.response, outcome.error
end

-- ---- tools and steps ------------------------------------------------------------------------------

--- Runs a tool.
---@async
---@param place curia.ToolPlace
---@param tool table
---@param arguments table
---@param run_tool fun(place: curia.ToolPlace, tool: table, arguments: table): any, curia.Error?
---@return any value
---@return curia.Error? err
function M.tool(place, tool, arguments, run_tool)
  local run = place.run
  local id = (place.member.id or "run") .. "/" .. tool.name
  return run.journal:value {
    path = place_below(place.ctx, id) or path_of(run, place_of(place.round, { id = id })), kind = "tool",
    input = { name = tool.name, arguments = arguments }, once = not tool.idempotent, ctx = place.ctx,
    call = function() return run_tool(place, tool, arguments) end,
  }
end

--- Calls a script's function for its value.
---@async
---@param ctx curia.Ctx
---@param name string
---@param fn fun(ctx: curia.Ctx): any
---@return any
function M.step(ctx, name, fn)
  local run = ctx._run
  local value, err = run.journal:value {
    path = place_below(ctx, name) or path_of(run, "step/" .. name), kind = "step", input = { name = name }, ctx = ctx,
    call = function()
      local ok, value = user_code.try("step " .. name, fn, ctx)
      if ok then return value end
      return nil, value
    end,
  }
  if err then error(errors.wrap(err), 0) end
  return value
end

return M
