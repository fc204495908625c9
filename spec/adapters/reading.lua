--- For the adapters' specs: feeds a streamed body through the decoder and an adapter.
local decoder = require "curia.core.decoder"

local M = {}

--- Server-sent events from JSON texts or data.
---@param ... string
---@return string
function M.sse(...)
  local events = {}
  for i, data in ipairs { ... } do events[i] = "data: " .. data .. "\n\n" end
  return table.concat(events)
end

--- Reads a stream as the engine does. The deltas list what `push` gave, texts gathered in C included.
---@param adapter table
---@param body string
---@param request? table
---@return table|nil response, curia.Error|nil err, table deltas
function M.stream(adapter, body, request)
  local d, state, deltas = decoder.new(decoder.paths(adapter.stream)), adapter.stream.start(request), {}
  assert(d:feed(body))
  assert(d:finish())
  local segments, count = d:take()
  for i = 1, count * 3, 3 do
    local kind, value = segments[i], segments[i + 1]
    local more = adapter.stream.push(state, kind, value, segments[i + 2] or nil)
    if kind == "text" or kind == "reasoning" then
      deltas[#deltas + 1] = { kind = kind == "text" and "content" or kind, text = value }
    end
    for _, delta in ipairs(more or {}) do deltas[#deltas + 1] = delta end
  end
  local response, err = adapter.stream.finish(state, 200, {})
  return response, err, deltas
end

--- The joined text of the deltas of one kind.
---@param deltas table
---@param kind string
---@return string
function M.joined(deltas, kind)
  local texts = {}
  for _, delta in ipairs(deltas) do
    if delta.kind == kind then texts[#texts + 1] = delta.text end
  end
  return table.concat(texts)
end

return M
