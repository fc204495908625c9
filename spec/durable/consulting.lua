--- Durable runs whose member `a` calls a tool, which asks other members by way of ctx; and what becomes of them when
--- their process dies.
local curia = require "curia"
local S = require "spec.durable.support"
local shared = require "curia.store.shared"
local T = require "spec.engine.support"

local M = {}

--- The path of the tool.
M.TOOL = "1/independent_analysis/a/consult"

local DELAYS = { a = 100, b = 300, c = 200 }
local started = 0

--- Members answer with what they were asked; `a` calls the tool first where it has one. Gives what they were asked.
---@param special? fun(request: table): table? another answer
---@return string[]
function M.script(special)
  local asked = {}
  T.script(function(request)
    local text, other = request.messages[#request.messages].content, special and special(request)
    if other or request.tools and request.messages[#request.messages].role ~= "tool" then
      return other or { content = "", delay_ms = 10, tool_calls = { { id = "c1", name = "consult", arguments = {} } } }
    end
    asked[#asked + 1] = request.member .. ": " .. text
    return { content = request.member .. " heard " .. text, delay_ms = DELAYS[request.member] }
  end)
  return asked
end

--- The council.
---@param fn fun(ctx: curia.Ctx): any what the tool does
---@param more? table options of the tool
function M.council(fn, more)
  local body = { about = "asks others", idempotent = true, run = function(_, ctx) return fn(ctx) end }
  for name, value in pairs(more or {}) do body[name] = value end
  return T.council { name = "consults", members = { a = { tools = { curia.tool "consult"(body) } } },
    rounds = { { type = "independent_analysis", members = { "a" } } } }
end

--- What a member answers that is asked by the tool.
function M.ask(ctx, member, text)
  return ctx:ask(member, text, { keep = false }).response.content
end

--- An id that no run has had: runs linger.
function M.new_id()
  started = started + 1
  return "consults-" .. started
end

function M.start(council)
  return S.start(council, nil, { run_id = M.new_id() })
end

--- The id of a run that died at a unit of work, which was stored or not.
function M.died(council, unit, committed)
  local store = assert(shared.configured())
  S.die_at(store, unit, committed)
  local run = M.start(council)
  run:await()
  S.live(store)
  return run.id
end

--- What a run comes to that is resumed.
---@return table? result
---@return curia.Error?
function M.resumed(id, council, opts)
  opts = opts or {}
  opts.councils = { [council.name] = council }
  local result, err
  T.logged(function() result, err = assert(S.resume(assert(shared.configured()), id, opts)):await() end)
  return result, err
end

--- What the member with the tool says.
function M.said(result)
  return result.rounds[1].results.a.response.content
end

--- The steps of a run: kind and status by path.
---@return table<string, string>
function M.steps(id)
  local found, store = {}, assert(shared.configured())
  for _, row in ipairs(store:query("SELECT path, kind, status FROM {steps} WHERE run_id = ?", id)) do
    found[row.path] = row.kind .. " " .. row.status
  end
  return found
end

return M
