--- Which span is open where: traces of runs, put together from the events of telemetry.
--
-- A run is a trace, or goes on with that of its `traceparent`; one inside of another is below the member whose answer
-- it is. Runs that began before anybody listened are unknown, and nothing of them is told.
local clock = require "curia.core.clock"
local content = require "curia.otlp.content"
local facts = require "curia.otlp.facts"
local names = require "curia.data.otlp"
local traceparent = require "curia.otlp.traceparent"
local wire = require "curia.otlp.wire"

local M = {}

---@class curia.otlp.Trace
---@field id string
---@field sampled boolean
---@field remote? string the caller's span
---@field zero_us integer what the monotonic clock lacks to Unix time: read once, so that a trace has one clock

---@class curia.otlp.Span
---@field trace curia.otlp.Trace
---@field id string
---@field parent_id? string
---@field names curia.otlp.SpanNames
---@field name string
---@field attributes table<string, any>
---@field began_ns integer Unix time
---@field ended_ns? integer
---@field error? curia.Error
---@field below? curia.otlp.Span an older one that is open under the same key

---@class curia.otlp.OpenRun
---@field span curia.otlp.Span
---@field open table<string, curia.otlp.Span> by key
---@field members table<string, curia.otlp.Span> the newest turn of each member

---@class curia.otlp.Traces
---@field runs table<string, curia.otlp.OpenRun>
---@field ended fun(span: curia.otlp.Span) takes each span that has ended, of traces that are recorded
---@field content boolean
local Traces = {}
Traces.__index = Traces

-- ---- keys -------------------------------------------------------------------------------------------

-- Ids have no "/" in them.
local function run_key(metadata, run_id)
  return metadata.namespace .. "/" .. run_id
end

-- Scripts call tools outside of any round: then there is no index.
local function round_key(metadata)
  local idx = metadata.idx or metadata.round_idx
  return metadata.iteration and ("%d/%d/%s"):format(idx, metadata.iteration, metadata.round) or tostring(idx)
end

local function turn_key(metadata)
  return round_key(metadata) .. "/member/" .. tostring(metadata.member_id)
end

local KEYS = {
  round = round_key,
  member = turn_key,
  ["provider.request"] = function(metadata) return turn_key(metadata) .. "/request/" .. metadata.attempt end,
  ["tool.execute"] = function(metadata)
    return ("%s/tool/%s/%s"):format(turn_key(metadata), metadata.tool, tostring(metadata.call_id))
  end,
}

-- ---- parents ----------------------------------------------------------------------------------------

-- An iteration is below the round that it is one of.
local function above_round(run, metadata)
  return metadata.iteration and run.open[tostring(metadata.idx)] or run.span
end

local function above_turn(run, metadata)
  return run.open[round_key(metadata)] or run.open[tostring(metadata.round_idx)] or run.span
end

local function above_call(run, metadata)
  return run.open[turn_key(metadata)] or above_turn(run, metadata)
end

local PARENTS = {
  round = above_round, member = above_turn, ["provider.request"] = above_call, ["tool.execute"] = above_call,
}

-- ---- opening and closing ----------------------------------------------------------------------------

local function now_ns(trace)
  return (trace.zero_us + clock.us()) * 1000
end

local function new_trace(given)
  local caller = given and traceparent.parse(given)
  return {
    id = caller and caller.trace_id or wire.id(16), remote = caller and caller.span_id,
    sampled = not caller or caller.sampled, zero_us = clock.wall_ms() * 1000 - clock.us(),
  }
end

local function open_span(level, trace, parent_id, metadata)
  local about = names.spans[level]
  local subject = metadata[about.subject]
  local span = {
    trace = trace, id = wire.id(8), parent_id = parent_id, names = about, began_ns = now_ns(trace),
    name = subject and about.title .. " " .. tostring(subject) or about.title, attributes = {},
  }
  span.attributes[names.operation] = about.operation
  return span
end

local function close_span(self, span, measurements, metadata, err)
  span.ended_ns, span.error = now_ns(span.trace), err
  span.attributes[names.error_type] = err and err.kind
  facts.add(span.attributes, span.names.attributes, measurements, metadata)
  if span.trace.sampled then self.ended(span) end
end

local NOTHING = {}
local CUT_SHORT = { kind = "cancelled", message = "the run has ended" }

-- What a terminated run leaves open has no event of its own.
local function close_run(self, run, ...)
  for _, span in pairs(run.open) do
    while span do
      close_span(self, span, NOTHING, NOTHING, CUT_SHORT)
      span = span.below
    end
  end
  close_span(self, run.span, ...)
end

local function span_above_run(self, metadata)
  local outer = metadata.parent_run_id and self.runs[run_key(metadata, metadata.parent_run_id)]
  return outer and (outer.members[metadata.parent_member_id] or outer.span)
end

local function start_run(self, metadata)
  local above = span_above_run(self, metadata)
  local trace = above and above.trace or new_trace(metadata.traceparent)
  self.runs[run_key(metadata, metadata.run_id)] = {
    span = open_span("run", trace, above and above.id or trace.remote, metadata), open = {}, members = {},
  }
end

local function start(self, level, run, metadata)
  local above, key = PARENTS[level](run, metadata), KEYS[level](metadata)
  local span = open_span(level, above.trace, above.id, metadata)
  span.below, run.open[key] = run.open[key], span
  if level == "member" then run.members[metadata.member_id] = span end
  if self.content and metadata.messages then span.attributes[names.content.input] = content.input(metadata.messages) end
end

local function stop(self, level, run, measurements, metadata, err)
  local key = KEYS[level](metadata)
  local span = run.open[key]
  if not span then return end -- a member that was skipped, and never began
  run.open[key], span.below = span.below, nil
  if run.members[metadata.member_id] == span then run.members[metadata.member_id] = nil end
  if self.content and metadata.response then
    span.attributes[names.content.output] = content.output(metadata.response)
  end
  close_span(self, span, measurements, metadata, err)
end

--- Something has begun.
---@param level "run"|"round"|"member"|"provider.request"|"tool.execute"
---@param metadata table of telemetry
function Traces:began(level, metadata)
  if level == "run" then return start_run(self, metadata) end
  local run = self.runs[run_key(metadata, metadata.run_id)]
  if run then start(self, level, run, metadata) end
end

--- Something has ended.
---@param level "run"|"round"|"member"|"provider.request"|"tool.execute"
---@param measurements table<string, number>
---@param metadata table
---@param err? curia.Error
function Traces:finished(level, measurements, metadata, err)
  local key = run_key(metadata, metadata.run_id)
  local run = self.runs[key]
  if not run then return end
  if level ~= "run" then return stop(self, level, run, measurements, metadata, err) end
  self.runs[key] = nil
  close_run(self, run, measurements, metadata, err)
end

--- Nothing is open yet.
---@param ended fun(span: curia.otlp.Span) must not wait
---@param with_content boolean whether prompts and answers are told
---@return curia.otlp.Traces
function M.new(ended, with_content)
  return setmetatable({ runs = {}, ended = ended, content = with_content }, Traces)
end

return M
