--- Spans as OTLP writes them.
local json = require "curia.json"
local redact = require "curia.redact"
local wire = require "curia.otlp.wire"

local M = {}

local ERROR = 2 -- the proto's StatusCode; unset is left out

local LONGEST_MESSAGE = 1024

-- No half of a character.
local function cut(text)
  return #text <= LONGEST_MESSAGE and text or text:sub(1, utf8.offset(text, 0, LONGEST_MESSAGE) - 1) .. " ..."
end

local function status_of(err)
  return { code = ERROR, message = cut(redact.text(tostring(err.message or err))) }
end

--- One span.
---@param span curia.otlp.Span that has ended
---@return table
function M.span(span)
  return {
    traceId = span.trace.id, spanId = span.id, parentSpanId = span.parent_id,
    name = span.name, kind = span.names.kind,
    startTimeUnixNano = wire.int64(span.began_ns), endTimeUnixNano = wire.int64(span.ended_ns),
    attributes = wire.attributes(span.attributes), status = span.error and status_of(span.error),
  }
end

-- About a millisecond's work.
local AT_ONCE = 32

--- The request that exports spans.
---@param spans curia.otlp.Span[]
---@param source curia.otlp.Source
---@param pause? fun() lets others have their turn; called every few spans
---@return table
function M.request(spans, source, pause)
  local list = json.array()
  for i, span in ipairs(spans) do
    list[i] = M.span(span)
    if pause and i % AT_ONCE == 0 then pause() end
  end
  return {
    resourceSpans = json.array {
      {
        resource = source.resource, schemaUrl = source.schema_url,
        scopeSpans = json.array { { scope = source.scope, schemaUrl = source.schema_url, spans = list } },
      },
    },
  }
end

return M
