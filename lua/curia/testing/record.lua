--- Recording: real answers of real providers go through a relay, which keeps them.
local clock = require "curia.core.clock"
local http = require "curia.http"
local mock_http = require "curia.mock.http"
local relay = require "curia.testing.relay"
local traffic = require "curia.testing.traffic"

local M = {}

-- What belongs to one connection, and what says how the bytes were packed.
local HOP = { host = true, connection = true, ["content-length"] = true, ["accept-encoding"] = true, expect = true,
  ["transfer-encoding"] = true, ["content-encoding"] = true, ["keep-alive"] = true }

local KEPT = { ["content-type"] = true, ["retry-after"] = true, ["retry-after-ms"] = true, ["x-should-retry"] = true }

local function without_hops(headers)
  local rest = {}
  for name, value in pairs(headers) do
    if not HOP[name] then rest[name] = value end
  end
  return rest
end

local function kept(headers)
  local found = {}
  for name, value in pairs(headers or {}) do
    if KEPT[name] or name:find "^x%-ratelimit" or name:find "^anthropic%-ratelimit" then found[name] = value end
  end
  return found
end

local function encoded(text)
  return (text:gsub("[^%w%-._~]", function(c) return ("%%%02X"):format(c:byte()) end))
end

local function address(origin, path, query)
  local parts = {}
  for name, value in pairs(query or {}) do parts[#parts + 1] = encoded(name) .. "=" .. encoded(value) end
  table.sort(parts)
  return origin .. path .. (parts[1] and "?" .. table.concat(parts, "&") or "")
end

-- The pieces of an answer as they come, each with the time since the one before.
local function each_piece(exchange, fn)
  local at, finished, failure = clock.us(), false, nil
  while not finished do
    local pieces
    pieces, finished, failure = exchange:next()
    local now = clock.us()
    for i = 2, #(pieces or {}), 3 do
      fn((now - at) // 1000, pieces[i])
      at = now
    end
  end
  if not failure and exchange.body and exchange.body ~= "" then fn((clock.us() - at) // 1000, exchange.body) end
  return failure
end

local function head(exchange)
  local headers = kept(exchange.headers)
  headers["transfer-encoding"] = "chunked"
  return mock_http.head(exchange.status, headers)
end

-- A connection that fails is cut for the client too; it is not recorded.
local function forward(from, request, origin, record)
  local exchange <close> = http.start {
    url = address(origin, request.path, request.query), method = request.method,
    headers = without_hops(request.headers), body = request.method == "POST" and request.body or nil, stream = true,
  }
  if not exchange then return from:close() end
  local begun = false
  local failure = each_piece(exchange, function(ms, bytes)
    if not begun then from:send(head(exchange)) end
    begun = true
    record.pieces[#record.pieces + 1] = { ms, bytes }
    from:send(mock_http.chunk(bytes))
  end)
  if failure then return from:close() end
  if not begun then from:send(head(exchange)) end
  from:send(mock_http.last_chunk)
  record.status, record.headers = exchange.status, kept(exchange.headers)
end

local function whole(records)
  local list = {}
  for _, record in ipairs(records) do
    if record.status then list[#list + 1] = record end
  end
  return list
end

--- Calls `fn(...)` and writes what the providers were asked and have answered meanwhile to a file, without keys.
---
---     testing.record("spec/traffic/panel.jsonl", function() curia.run(council, "Ship?") end)
---@async
---@param path string
---@param fn function
---@param ... any its arguments
---@return any its values (at most two)
function M.record(path, fn, ...)
  local records = {}
  local open = relay.open(function(from, request, provider, origin)
    local record = traffic.request(provider, request)
    record.pieces = {}
    records[#records + 1] = record
    forward(from, request, origin, record)
  end)
  local outcome = table.pack(pcall(fn, ...))
  open:close()
  local written, err = traffic.write(path, whole(records))
  if not outcome[1] then error(outcome[2], 0) end
  if not written then error(tostring(err), 2) end
  return outcome[2], outcome[3]
end

return M
