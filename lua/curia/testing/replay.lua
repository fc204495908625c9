--- Replaying: providers answer from a file of recorded exchanges; nobody is asked.
local errors = require "curia.errors"
local json = require "curia.json"
local mock_http = require "curia.mock.http"
local relay = require "curia.testing.relay"
local task = require "curia.task"
local traffic = require "curia.testing.traffic"

local M = {}

local function index(exchanges)
  local by_key = {}
  for _, exchange in ipairs(exchanges) do
    local key = traffic.key(exchange)
    by_key[key] = by_key[key] or { next = 1 }
    table.insert(by_key[key], exchange)
  end
  return by_key
end

-- The recorded request that differs least, of the same path if there is one.
local function nearest(request, exchanges)
  local best, least, lines
  for _, exchange in ipairs(exchanges) do
    if exchange.provider == request.provider and exchange.path == request.path then
      local differences, count = traffic.differences(request, exchange)
      if not least or count < least then best, least, lines = exchange, count, differences end
    end
  end
  return best, lines
end

local function describe(request, exchanges)
  local best, lines = nearest(request, exchanges)
  local text = ("no recorded answer to %s %s of %s"):format(request.method, request.path, request.provider)
  if not best then return text .. ": nothing was recorded of that path" end
  return text .. "; the nearest recorded request differs:\n  " .. table.concat(lines, "\n  ")
end

local function send_error(from, message)
  local body = json.encode { error = { message = message, type = "replay_mismatch" } }
  local headers = { ["content-type"] = "application/json", ["content-length"] = tostring(#body) }
  from:send(mock_http.head(400, headers) .. body)
end

local function send(from, exchange, timing)
  local headers = { ["transfer-encoding"] = "chunked" }
  for name, value in pairs(exchange.headers) do headers[name] = value end
  from:send(mock_http.head(exchange.status, headers))
  for _, piece in ipairs(exchange.pieces) do
    if timing and piece[1] > 0 then task.sleep(piece[1]) end
    from:send(mock_http.chunk(piece[2]))
  end
  from:send(mock_http.last_chunk)
end

local function asked_too_often(request, known)
  return ("%s %s of %s was asked more often than the %d times that were recorded"):format(request.method, request.path,
    request.provider, #known)
end

local function replier(exchanges, problems, timing)
  local by_key = index(exchanges)
  return function(from, http_request, provider)
    local request = traffic.request(provider, http_request)
    local known = by_key[traffic.key(request)]
    if known and known[known.next] then
      known.next = known.next + 1
      return send(from, known[known.next - 1], timing)
    end
    local problem = known and asked_too_often(request, known) or describe(request, exchanges)
    problems[#problems + 1] = problem
    send_error(from, problem)
  end
end

local function check_options(opts)
  for name in pairs(opts) do
    if name ~= "timing" then
      error("testing.replay: " .. require "curia.suggest".message("option", tostring(name), { timing = true }), 3)
    end
  end
end

--- Calls `fn()` while the providers answer from a file that `record` has written: equal requests in the order of their
--- recording, piece by piece. A request that was not recorded is an error that names the nearest and how it differs.
---
---     local result = testing.replay("spec/traffic/panel.jsonl", function() return curia.run(council, "Ship?") end)
---@async
---@param path string
---@param fn function
---@param opts? {timing?: boolean} `timing`: the pieces come with the pauses that they had
---@return any its values (at most two)
function M.replay(path, fn, opts)
  opts = opts or {}
  check_options(opts)
  local exchanges, err = traffic.read(path)
  if not exchanges then error(tostring(err), 2) end
  local problems = {}
  local open = relay.open(replier(exchanges, problems, opts.timing))
  local outcome = table.pack(pcall(fn))
  open:close()
  if not outcome[1] then error(outcome[2], 0) end
  if problems[1] then error(errors.new("replay_mismatch", "replay: " .. problems[1]), 0) end
  return outcome[2], outcome[3]
end

return M
