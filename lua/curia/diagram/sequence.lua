--- Who is asked when, as a Mermaid sequence diagram: of a run, from its events, or of a council as it would go.
local mermaid = require "curia.diagram.mermaid"
local outlines = require "curia.diagram.outline"
local prompts = require "curia.prompts"
local words = require "curia.view.words"

local M = {}

local LONGEST = 80 -- columns of a message

local function escape(text)
  return mermaid.escape(text, LONGEST)
end

local ASKS, ANSWERS, FAILS = "->>", "-->>", "--x"

---@class curia.SequenceChart
---@field lines string[]
---@field participants string[] in the order in which they come up
---@field ids table<any, string>
---@field indent string
local Chart = {}
Chart.__index = Chart

local function new_chart()
  return setmetatable({ lines = {}, participants = {}, ids = {}, indent = "  " }, Chart)
end

function Chart:add(text, ...)
  table.insert(self.lines, self.indent .. text:format(...))
end

--- The participant of a key, made when it comes up first.
function Chart:participant(key, label, kind)
  if self.ids[key] then return self.ids[key] end
  local id = "p" .. #self.participants + 1
  self.ids[key] = id
  table.insert(self.participants, ("  %s %s as %s"):format(kind or "participant", id, escape(label)))
  return id
end

function Chart:message(from, arrow, to, text)
  self:add("%s%s%s: %s", from, arrow, to, escape(text))
end

function Chart:note(over, text)
  self:add("Note over %s: %s", over, escape(text))
end

--- A block such as `loop` or `par`, with its content.
function Chart:block(word, text, fn, ...)
  self:add("%s %s", word, escape(text))
  local outer = self.indent
  self.indent = outer .. "  "
  fn(self, ...)
  self.indent = outer
  self:add("end")
end

function Chart:render()
  local lines = { "sequenceDiagram" }
  table.move(self.participants, 1, #self.participants, 2, lines)
  table.move(self.lines, 1, #self.lines, #lines + 1, lines)
  return table.concat(lines, "\n") .. "\n"
end

local USER = "user"

local function user(chart)
  return chart:participant(USER, "you", "actor")
end

-- ---- from events ------------------------------------------------------------------------------------

---@class curia.SequenceRecord: curia.SequenceChart
---@field called table<string, number> when tools were called, by call id

local function run_of(chart, event)
  return chart:participant(event.run_id or USER, event.council or "council")
end

-- A sub-run is asked by the run around it.
local function asker_of(chart, event)
  return event.parent_run_id and chart.ids[event.parent_run_id] or user(chart)
end

local function member_of(chart, event)
  return chart:participant(("%s/%s"):format(event.run_id, event.member), event.member)
end

local function tool_of(chart, event)
  local name = event.call and event.call.name or "tool"
  return chart:participant("tool/" .. name, name)
end

local function problem(err)
  return type(err) == "table" and words.problem(err) or tostring(err)
end

local function again(event)
  return event.iteration and (", time %d"):format(event.iteration) or ""
end

local function answer_text(result)
  local parts = { tostring(result.status), words.duration(result.duration_ms or 0) }
  local reason = result.metadata and result.metadata.reason
  if (result.attempts or 1) > 1 then parts[#parts + 1] = words.counted(result.attempts, "try", "tries") end
  if result.error then parts[#parts + 1] = problem(result.error)
  elseif result.status ~= "ok" and reason then parts[#parts + 1] = tostring(reason) end
  return table.concat(parts, ", ")
end

local function outcome(event)
  local result = event.result or {}
  local winner = result.decision and result.decision.winner
  local parts = { ("%s%s: %s"):format(event.round, again(event), words.duration(result.duration_ms or 0)) }
  if winner then parts[#parts + 1] = "first is " .. tostring(winner) end
  if result.error then parts[#parts + 1] = problem(result.error) end
  return table.concat(parts, ", ")
end

local function call_key(event)
  return ("%s/%s/%s"):format(event.run_id, event.member, event.call and event.call.id)
end

local DRAW = {
  run_started = function(chart, event)
    local asker = asker_of(chart, event)
    chart:message(asker, ASKS, run_of(chart, event), prompts.question(event.input))
  end,
  round_started = function(chart, event)
    chart:note(run_of(chart, event), ("%s %s%s"):format(event.idx, event.round, again(event)))
  end,
  member_started = function(chart, event)
    local run = run_of(chart, event)
    chart:message(run, ASKS, member_of(chart, event), event.round)
  end,
  member_retry = function(chart, event)
    local member = member_of(chart, event)
    chart:message(member, FAILS, run_of(chart, event), words.retry(event.wait_ms or 0, event.error or {}))
  end,
  member_restarted = function(chart, event) chart:note(member_of(chart, event), "begins its answer anew") end,
  tool_call_request = function(chart, event)
    local member = member_of(chart, event)
    chart.called[call_key(event)] = event.at
    chart:message(member, ASKS, tool_of(chart, event), "calls " .. tostring(event.call and event.call.name))
  end,
  tool_call_result = function(chart, event)
    local began = chart.called[call_key(event)]
    local time = began and event.at and (", " .. words.duration(event.at - began)) or ""
    local tool, failed = tool_of(chart, event), event.error ~= nil
    local text = (failed and problem(event.error) or "result") .. time
    chart:message(tool, failed and FAILS or ANSWERS, member_of(chart, event), text)
  end,
  member_completed = function(chart, event)
    local run, result = run_of(chart, event), event.result or {}
    local arrow = result.status == "ok" and ANSWERS or FAILS
    chart:message(member_of(chart, event), arrow, run, answer_text(result))
  end,
  round_completed = function(chart, event) chart:note(run_of(chart, event), outcome(event)) end,
  run_blocked = function(chart, event)
    chart:note(run_of(chart, event), "waits: " .. tostring(event.reason))
  end,
  run_resumed = function(chart, event) chart:note(run_of(chart, event), "goes on") end,
  run_completed = function(chart, event)
    local result = event.result or {}
    chart:message(run_of(chart, event), ANSWERS, asker_of(chart, event),
      ("%s, %s"):format(tostring(result.status), words.duration(result.duration_ms or 0)))
  end,
  run_failed = function(chart, event)
    local first = event.errors and event.errors[1]
    chart:message(run_of(chart, event), FAILS, asker_of(chart, event), first and problem(first) or "failed")
  end,
}

--- A run as it went: the order, tool calls, times, retries and outcomes of its events. Tokens and log lines, and
--- types that are not known, are left out.
---@param events curia.Event[] as recorded, or decoded from JSON
---@return string
function M.of_events(events)
  local chart = new_chart()
  chart.called = {}
  for _, event in ipairs(events) do
    local draw = DRAW[event.type]
    if draw then draw(chart, event) end
  end
  return chart:render()
end

-- ---- from a council ---------------------------------------------------------------------------------

local function ask_tools(chart, id, tools)
  for _, tool in ipairs(tools) do
    local other = chart:participant(tool, tool.label)
    chart:message(id, ASKS, other, "may call " .. tool.label)
    chart:message(other, ANSWERS, id, "result")
  end
end

local ask_rounds

-- A member that is a council asks its own members before it answers.
local function ask_member(chart, council, round, member)
  local id = chart:participant(member.node, member.node.label)
  chart:message(council, ASKS, id, round.node.label)
  ask_tools(chart, id, member.tools)
  ask_rounds(chart, id, chart.rounds_of[member.node] or {})
  chart:message(id, ANSWERS, council, round.node.decides and "ballot" or "answer")
end

-- All at once: one branch for each member.
local function ask_in_parallel(chart, council, round)
  chart:add("par")
  for i, member in ipairs(round.members) do
    if i > 1 then chart:add("and") end
    ask_member(chart, council, round, member)
  end
  chart:add("end")
end

local function ask_one_by_one(chart, council, round)
  for _, member in ipairs(round.members) do ask_member(chart, council, round, member) end
end

local function ask_round(chart, council, round, number)
  chart:note(council, ("%d %s"):format(number, round.node.label))
  if #round.rounds > 0 then
    return chart:block("loop", table.concat(outlines.facts(round), ", "), ask_rounds, council, round.rounds)
  end
  local one_by_one = round.node.sequential or #round.members < 2
  local ask = one_by_one and ask_one_by_one or ask_in_parallel
  ask(chart, council, round)
end

function ask_rounds(chart, council, rounds)
  for i, round in ipairs(rounds) do ask_round(chart, council, round, i) end
end

--- A council as a run of it would go.
---@param graph curia.Graph
---@return string
function M.of_graph(graph)
  local chart, outline = new_chart(), outlines.of(graph)
  chart.rounds_of = {}
  for _, sub in ipairs(outline.sub_councils) do chart.rounds_of[sub.node] = sub.rounds end
  local asker = user(chart)
  local council = chart:participant(graph, graph.council)
  chart:message(asker, ASKS, council, outline.input.label)
  ask_rounds(chart, council, outline.rounds)
  chart:message(council, ANSWERS, asker, outline.output.label)
  return chart:render()
end

return M
