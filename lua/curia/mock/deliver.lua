--- Sends a settled answer in a protocol's words, with the delays and faults that it asks for.
local wire = require "curia.mock.wire"

local M = {}

local HTML = "<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head>"
  .. "<body><h1>502 Bad Gateway</h1><p>This page is no answer.</p></body></html>\n"

-- A slow answer comes in chunks of so many bytes, cut wherever that is.
local SLOW_BYTES = 20

local JSON = "application/json"

local function headers_of(protocol, request, kind)
  local headers = protocol.headers(request)
  headers["content-type"] = kind
  return headers
end

-- Errors -------------------------------------------------------------------------------------------

local function merge(headers, more)
  for name, value in pairs(more) do headers[name] = value end
  return headers
end

--- Sends an error in the vendor's shape. Gemini's errors on a streamed call call themselves a stream.
---@async
function M.error(reply, protocol, request, err, status)
  local body, hints = protocol.error(err, request)
  local kind = protocol.name == "gemini" and request.stream and request.sse and protocol.stream_type or JSON
  local headers = merge(headers_of(protocol, request, kind), hints)
  reply:whole(status or err.status, headers, wire.encode(body))
end

-- Faults without any of the answer --------------------------------------------------------------------

local function body_fault(kind, body)
  return function(reply, protocol, request, answer)
    local status = answer.error and answer.error.status or 200
    reply:whole(status, headers_of(protocol, request, kind), body)
  end
end

local INSTEAD = {
  refuse_connection = function(reply) reply:reset() end,
  cut_before = function(reply) reply:cut() end,
  hang = function(reply) reply:hold() end,
  html = body_fault("text/html", HTML),
  empty = body_fault(JSON, ""),
  garbage = body_fault(JSON, '{"answer": "cut he'),
}

-- Faults amid the answer --------------------------------------------------------------------------------

local AMID = {
  cut = function(reply) reply:cut() end,
  reset = function(reply) reply:reset() end,
  silence = function(reply) reply:hold() end,
}

local function share(answer, length)
  local pieces = math.max(#answer.pieces, 1)
  return length * math.min(answer.after or pieces // 2, pieces) // pieces
end

local function send_slowly(reply, text, ms)
  for at = 1, #text, SLOW_BYTES do
    if at > 1 then reply:pause(ms) end
    reply:add(text:sub(at, at + SLOW_BYTES - 1))
  end
end

-- Whole answers -----------------------------------------------------------------------------------------

local function whole(reply, protocol, request, answer)
  local text = (protocol.padding or "") .. wire.encode(protocol.whole(request, answer))
  local headers, amid = headers_of(protocol, request, JSON), AMID[answer.fault]
  if answer.fault == "no_done" then text = text:sub(1, -2) end
  reply:sized(200, headers, #text)
  if answer.fault == "slow" then
    send_slowly(reply, text, answer.chunk_delay_ms)
  else
    reply:add(amid and text:sub(1, share(answer, #text)) or text)
  end
  if amid then return amid(reply) end
  reply:finish()
end

-- Streams -----------------------------------------------------------------------------------------------

local function add_all(reply, frames)
  for _, frame in ipairs(frames) do reply:add(frame) end
end

local function add_pieces(reply, frames, count, ms)
  for i = 1, count do
    if i > 1 then reply:pause(ms) end
    reply:add(frames[i])
  end
end

local function slow_stream(reply, frames, answer)
  local text = table.concat(frames.opening) .. table.concat(frames.pieces) .. table.concat(frames.closing)
  send_slowly(reply, text, answer.chunk_delay_ms)
  reply:finish()
end

local function broken_stream(reply, protocol, request, answer, frames)
  local count = math.min(answer.after or #frames.pieces // 2, #frames.pieces)
  add_all(reply, frames.opening)
  add_pieces(reply, frames.pieces, count, answer.chunk_delay_ms)
  if AMID[answer.fault] then return AMID[answer.fault](reply) end
  add_all(reply, protocol.failing(request, answer, answer.error))
  reply:finish()
end

local function stream(reply, protocol, request, answer)
  local frames = protocol.stream(request, answer)
  reply:chunked(200, headers_of(protocol, request, protocol.stream_type))
  if answer.fault == "slow" then return slow_stream(reply, frames, answer) end
  if AMID[answer.fault] or answer.fault == "error_in_200" then
    return broken_stream(reply, protocol, request, answer, frames)
  end
  add_all(reply, frames.opening)
  add_pieces(reply, frames.pieces, #frames.pieces, answer.chunk_delay_ms)
  if answer.fault ~= "no_done" then add_all(reply, frames.closing) end
  reply:finish()
end

--- Sends the answer, or what stands for it.
---@async
---@param reply curia.mock.Reply
---@param protocol table
---@param request table neutral request
---@param answer curia.Answer
---@param latency_ms number added to the answer's own delay
function M.answer(reply, protocol, request, answer, latency_ms)
  reply:pause(answer.delay_ms + latency_ms)
  local instead = INSTEAD[answer.fault]
  if instead then return instead(reply, protocol, request, answer) end
  if answer.fault == "error_in_200" and not request.stream then
    return M.error(reply, protocol, request, answer.error, 200)
  end
  if answer.error and answer.fault ~= "error_in_200" then return M.error(reply, protocol, request, answer.error) end
  return (request.stream and stream or whole)(reply, protocol, request, answer)
end

return M
