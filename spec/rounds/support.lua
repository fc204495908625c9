--- What the specs of the rounds share: what each member was asked, round by round.
local T = require "spec.engine.support"

local M = {}

--- Runs a council and gives its result and the prompts, by round and member.
---@param rounds table[]
---@param answer fun(round: string, member: string, prompt: string): any
---@param body? table further fields of the council
function M.prompts(rounds, answer, body)
  local asked = {}
  T.script(function(request)
    local prompt = request.messages[#request.messages].content
    asked[request.round] = asked[request.round] or {}
    asked[request.round][request.member] = prompt
    return answer(request.round, request.member, prompt)
  end)
  local council = {}
  for name, value in pairs(body or {}) do council[name] = value end
  council.rounds = {}
  for i, round in ipairs(rounds) do council.rounds[i] = type(round) == "string" and { type = round } or round end
  local result, err = T.ask(council, council.question or "Why?")
  return asked, result, err
end

--- An answer that tells who gives it and where.
function M.tell(round, member)
  return ("<%s by %s>"):format(round, member)
end

--- Runs a round of judges after the members' answers; `judge(member)` gives each one's ballot, as text.
---@param kind string
---@param judge fun(member: string, prompt: string): any
---@param options? table of the round
---@param body? table further fields of the council
---@return table round its result
---@return table asked prompts by member
---@return table result
---@return table? err
function M.judge(kind, judge, options, body)
  local round = { type = kind }
  for name, value in pairs(options or {}) do round[name] = value end
  local asked, result, err = M.prompts({ "independent_analysis", round }, function(name, member, prompt)
    if name == "independent_analysis" or name == "synthesis" then return M.tell(name, member) end
    return judge(member, prompt)
  end, body)
  return result and result.rounds[2], asked[kind], result, err
end

--- How many bytes two prompts have in common at their beginning.
function M.common(a, b)
  local count = 0
  while count < #a and a:byte(count + 1) == b:byte(count + 1) do count = count + 1 end
  return count
end

--- Whether a text holds another, literally.
function M.holds(text, part)
  return text ~= nil and text:find(part, 1, true) ~= nil
end

return M
