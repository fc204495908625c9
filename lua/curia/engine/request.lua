--- The neutral request of a member's turn: its messages, and what the member is asked with.
local errors = require "curia.errors"
local prompts = require "curia.prompts"
local schemas = require "curia.schema"
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
  local request = setmetatable({ messages = messages, plain = plain, round = turn.round.name, run_id = turn.run.id },
    request_base(turn.member))
  if turn.seed then request.seed = turn.seed end
  return request
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

-- ---- structured answers -----------------------------------------------------------------------------

-- Whether requests to an adapter carry a schema, in the provider's own way or as a tool that is forced.
local function carries(adapter, schema)
  local able = adapter.capabilities and adapter.capabilities.json_schema
  if able == "object" then return schemas.is_object(schema) end
  return able == true
end

local function all_carry(members, schema)
  for _, member in ipairs(members) do
    if not carries(member.adapter, schema) then return false end
  end
  return true
end

local function copied(list)
  return table.move(list, 1, #list, 1, {})
end

-- The messages with a text at the end of what the user says last.
local function with_text(messages, text)
  local all, last = copied(messages), messages[#messages]
  if last.role == "user" and type(last.content) == "string" then
    local said = {}
    for name, value in pairs(last) do said[name] = value end
    said.content = last.content .. "\n\n" .. text
    all[#all] = said
  else
    all[#all + 1] = { role = "user", content = text }
  end
  return all
end

--- Asks for an answer that fits a schema. Where the member's provider, or one that may stand in for it, cannot be
--- told, the prompt says it.
---@param request table neutral request
---@param schema table
---@param member table planned member
function M.ask_for(request, schema, member)
  if carries(member.adapter, schema) then request.schema = schema end
  if request.schema and all_carry(member.fallback or {}, schema) then return end
  request.messages = with_text(request.messages, prompts.schema(schema))
end

--- The same request once more, behind an answer to it and what is said to that.
---@param request table neutral request
---@param response table
---@param text string
---@return table request
function M.follow_up(request, response, text)
  local made, messages = {}, copied(request.messages)
  messages[#messages + 1] = {
    role = "assistant", content = response.content, provider_parts = response.provider_parts,
  }
  messages[#messages + 1] = { role = "user", content = text }
  for name, value in next, request do made[name] = value end
  made.messages, made.plain = messages, false
  return setmetatable(made, getmetatable(request))
end

return M
