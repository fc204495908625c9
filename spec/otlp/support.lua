--- What the specs of the export share: a collector on this loopback.
local json = require "curia.json"
local listeners = require "curia.otlp.listener"
local metrics = require "curia.otlp.metrics"
local telemetry = require "curia.telemetry"
local traces = require "curia.otlp.traces"
local uv = require "luv"

local M = {}

--- The spans that end while a function is called, in their order, each with `parent`; and the figures.
---@param fn fun()
---@param content? boolean
---@return table[] spans
---@return curia.otlp.Metrics
function M.watch(fn, content)
  local spans, by_id, figures = {}, {}, metrics.new()
  local open = traces.new(function(span)
    spans[#spans + 1], by_id[span.id] = span, span
  end, content == true)
  local guard <close> = telemetry.attach(listeners.names, listeners.new(open, figures))
  fn()
  for _, span in ipairs(spans) do span.parent = by_id[span.parent_id] end
  assert(not next(open.runs), "a run is still open")
  return spans, figures
end

--- The names of a span and of those above it.
---@param span table
---@return string
function M.path(span)
  return span.parent and M.path(span.parent) .. " > " .. span.name or span.name
end

--- The paths of spans, sorted.
---@param spans table[]
---@return string[]
function M.paths(spans)
  local paths = {}
  for i, span in ipairs(spans) do paths[i] = M.path(span) end
  table.sort(paths)
  return paths
end

---@class spec.otlp.Collector
---@field url string
---@field requests {path: string, head: string, body: table}[]
---@field answer fun(number: integer): integer?, string?, string? status, further head lines, body; false: says nothing
local Collector = {}
Collector.__index = Collector

local RESPONSE = "HTTP/1.1 %d Status\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n%s"

local function take(self, client, head, body)
  self.requests[#self.requests + 1] = { path = head:match "^POST (%S+)", head = head, body = assert(json.decode(body)) }
  local status, lines, answer = self.answer(#self.requests)
  if status == false then return end
  answer = answer or "{}"
  client:write(RESPONSE:format(status or 200, lines or "", #answer, answer))
end

local function accept(self)
  local client, input = assert(uv.new_tcp()), ""
  self.listener:accept(client)
  self.clients[client] = true
  client:read_start(function(_, chunk)
    input = input .. (chunk or "")
    local head, rest = input:match "^(.-\r\n\r\n)(.*)$"
    local length = head and tonumber(head:lower():match "content%-length: (%d+)") or 0
    if not chunk and not client:is_closing() then client:close() end
    if not head or #rest < length then return end
    input = ""
    take(self, client, head, rest)
  end)
end

--- Starts one; it ends as a to-be-closed variable.
---@param answer? fun(number: integer): integer|false|nil, string?, string?
---@return spec.otlp.Collector
function M.collector(answer)
  local listener = assert(uv.new_tcp())
  assert(listener:bind("127.0.0.1", 0))
  local self = setmetatable({
    listener = listener, clients = {}, requests = {}, answer = answer or function() return 200 end,
    url = ("http://127.0.0.1:%d"):format(listener:getsockname().port),
  }, Collector)
  assert(listener:listen(16, function() accept(self) end))
  return self
end

function Collector:__close()
  self.listener:close()
  for client in pairs(self.clients) do
    if not client:is_closing() then client:close() end
  end
end

--- The value of an attribute, as Lua has it.
local function value_of(value)
  if value.intValue then return math.tointeger(value.intValue) end
  if value.arrayValue then
    local list = {}
    for i, item in ipairs(value.arrayValue.values) do list[i] = value_of(item) end
    return list
  end
  return value.stringValue or value.doubleValue or value.boolValue
end

--- Attributes by name.
---@param list table[]
---@return table<string, any>
function M.attributes(list)
  local by_name = {}
  for _, attribute in ipairs(list) do by_name[attribute.key] = value_of(attribute.value) end
  return by_name
end

-- What stands at the end of each request to a path: resourceX[].scopeX[].xs[].
local function gathered(self, path, outer, inner, items)
  local all = {}
  for _, request in ipairs(self.requests) do
    for _, resource in ipairs(request.path == path and request.body[outer] or {}) do
      for _, scope in ipairs(resource[inner]) do table.move(scope[items], 1, #scope[items], #all + 1, all) end
    end
  end
  return all
end

--- The spans that have come, each with `by_name`: its attributes.
---@return table[]
function Collector:spans()
  local all = gathered(self, "/v1/traces", "resourceSpans", "scopeSpans", "spans")
  for _, span in ipairs(all) do span.by_name = M.attributes(span.attributes) end
  return all
end

--- The metrics that have come.
---@return table[]
function Collector:metrics()
  return gathered(self, "/v1/metrics", "resourceMetrics", "scopeMetrics", "metrics")
end

--- The one span of that name.
---@param name string
---@return table
function Collector:span(name)
  local found = {}
  for _, span in ipairs(self:spans()) do
    if span.name == name then found[#found + 1] = span end
  end
  assert(#found == 1, ("%d spans are called %s"):format(#found, name))
  return found[1]
end

return M
