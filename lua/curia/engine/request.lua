--- The neutral request of a member's turn: its messages, and what the member is asked with.
local errors = require "curia.errors"
local prompts = require "curia.prompts"
local user_code = require "curia.engine.user_code"

local M = {}

local function role_text(member, input, ctx)
  local role, err = member.role, nil
  if type(role) == "function" then role, err = user_code.call("role of member " .. member.id, role, input, ctx) end
  return role and prompts.role(role) or nil, err
end

local function system_text(member, input, ctx)
  local system = member.system
  if system == nil then return role_text(member, input, ctx) end
  if type(system) ~= "function" then return system end
  local text, err = user_code.call("system of member " .. member.id, system, input, ctx)
  if err or text == nil or type(text) == "string" then return text, err end
  return nil, errors.new("script", ("system of member %s: it gave a %s, no text"):format(member.id, type(text)))
end

-- The messages of a text: what goes over the wire as it is (`plain`).
local function text_messages(text, system)
  if not system or system == "" then return { { role = "user", content = text } } end
  return { { role = "system", content = system }, { role = "user", content = text } }
end

local function are_messages(built)
  return type(built) == "table" and built[1] and built[1].role
end

local function with_system(messages, system)
  if not system or system == "" or messages[1].role == "system" then return messages end
  local all = { { role = "system", content = system } }
  return table.move(messages, 1, #messages, 2, all)
end

local function stop_list(stop)
  if type(stop) == "string" then return { stop } end
  return stop
end

-- What of a request is the member's own and the same each time; requests fall back on it.
local request_bases = setmetatable({}, { __mode = "k" })

local function request_base(member)
  local base = request_bases[member]
  if not base then
    base = { __index = {
      model = member.model, temperature = member.temperature, top_p = member.top_p,
      max_tokens = member.max_tokens, seed = member.seed, stop = stop_list(member.stop),
      reasoning = member.reasoning, stream = member.stream, cache = member.cache, extra = member.extra,
      member = member.id, provider = member.provider_name,
    } }
    request_bases[member] = base
  end
  return base
end

local function new_request(turn, messages, plain)
  return setmetatable({ messages = messages, plain = plain, round = turn.round.name, run_id = turn.run.id },
    request_base(turn.member))
end

-- What a round's `build` gave, as a request: a text, a list of messages, or an input.
local function request_of(turn, built, system)
  if are_messages(built) then return new_request(turn, with_system(built, system), false) end
  local text = type(built) == "string" and built or prompts.question(built)
  return new_request(turn, text_messages(text, system), true)
end

--- The same request to another model: what it says stays, what it is asked with is the other's.
---@param model table a planned member or fallback
---@param request table
---@return table
function M.to(model, request)
  local made = {}
  for name, value in pairs(request) do made[name] = value end
  return setmetatable(made, request_base(model))
end

--- What a turn asks: what its round builds, behind the member's system prompt.
---@param turn curia.Turn
---@return table? request
---@return curia.Error? err
function M.of(turn)
  local ctx, member = turn.ctx, turn.member
  if not turn.build then
    return nil, errors.new("validation", ("round %s has no build function"):format(turn.round.name))
  end
  local built, err = turn.build(ctx, member)
  if err or built == nil then
    return nil, user_code.error_of("build of round " .. turn.round.name, err or "it gave no messages")
  end
  local system
  system, err = system_text(member, ctx.input, ctx)
  if err then return nil, err end
  return request_of(turn, built, system)
end

return M
