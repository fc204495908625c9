--- A server that speaks the protocols of all providers and answers from a script.
--
--     local server = require "curia.mock".start { script = "hello" }
--     ... server.url, server:stats(), server:requests() ...
--     server:close()
--
-- POST /v1/chat/completions, /v1/responses, /v1/messages, /v1beta/models/{model}:generateContent and
-- :streamGenerateContent, /api/chat (Ollama), /api/v1/chat/completions (OpenRouter).
-- GET /stats (?reset=1 then counts from zero), /requests (the last ones), /healthz, and the lists of
-- models. Any key is taken, and none is kept.
local connection = require "curia.mock.connection"
local deliver = require "curia.mock.deliver"
local errors = require "curia.errors"
local journal = require "curia.mock.journal"
local json = require "curia.json"
local clock = require "curia.core.clock"
local protocols = require "curia.mock.protocols"
local replies = require "curia.mock.reply"
local scripts = require "curia.script"
local suggest = require "curia.suggest"
local wire = require "curia.mock.wire"

local M = {}

local BACKLOG = 1024

local DEFAULTS = {
  listen = "127.0.0.1", port = 0, latency_ms = 0, keep = 100,
  max_header_bytes = 64 * 1024, max_body_bytes = 32 * 1024 * 1024,
}

local OPTIONS = {
  "script", "listen", "port", "latency_ms", "keep", "max_header_bytes", "max_body_bytes", "log",
}

---@class curia.mock.Options
---@field script? any what `curia.script` takes; nil gives the answers of `--offline`
---@field listen? string address ("127.0.0.1")
---@field port? integer 0, the default, takes any free one
---@field latency_ms? number waited before every answer (0)
---@field keep? integer how many requests are remembered (100)
---@field max_header_bytes? integer (64 KiB)
---@field max_body_bytes? integer (32 MiB)
---@field log? fun(record: curia.mock.Record) called when a request has been answered

---@class curia.mock.Server
---@field url string
---@field port integer
local Server = {}
Server.__index = Server
Server.__name = "curia.mock"

-- Control ------------------------------------------------------------------------------------------

local JSON = { ["content-type"] = "application/json" }

local function send_json(reply, status, value, headers)
  local all = { ["content-type"] = JSON["content-type"] }
  for name, text in pairs(headers or {}) do all[name] = text end
  reply:whole(status, all, wire.encode(value) .. "\n")
end

local CONTROL = {
  ["/healthz"] = function() return { status = "ok" } end,
  ["/stats"] = function(server, request)
    local stats = server:stats()
    if request.query.reset == "1" then server.journal:reset() end
    return stats
  end,
  ["/requests"] = function(server) return { requests = json.array(server:requests()) } end,
}

local function model_names(server)
  return #server.script.models > 0 and server.script.models or { "mock" }
end

local function get(server, reply, request)
  local control = CONTROL[request.path]
  if control then return send_json(reply, 200, control(server, request)) end
  local protocol = protocols.of_models(request.path, request.headers)
  if protocol then return send_json(reply, 200, protocol.models(model_names(server))) end
  return false
end

local function no_such_path(reply, request)
  if protocols.of(request.path) or CONTROL[request.path] or protocols.of_models(request.path, {}) then
    local allowed = protocols.of(request.path) and "POST" or "GET"
    local message = ("%s takes %s, not %s"):format(request.path, allowed, request.method)
    return send_json(reply, 405, { error = { message = message, type = "invalid_request_error" } }, { allow = allowed })
  end
  local message = ("no such endpoint: %s %s%s"):format(request.method, request.path,
    suggest.hint(request.path, protocols.paths))
  send_json(reply, 404, { error = { message = message, type = "invalid_request_error" } })
end

-- Answers ------------------------------------------------------------------------------------------

-- Adds what a protocol needs to make identifiers and dates.
local function numbered(server, request)
  server.count = server.count + 1
  local now = clock.wall_ms() // 1000
  request.id = ("mock%06d"):format(server.count)
  request.created = math.tointeger(now)
  request.created_at = os.date("!%Y-%m-%dT%H:%M:%SZ", request.created)
  return request
end

local function decoded(http)
  local body, err = json.decode(http.body, { nulls = false })
  if type(body) == "table" then return body end
  return nil, { status = 400, message = "We could not parse the JSON body of your request: "
    .. (err and err.message or "it is no object") }
end

local function understood(protocol, http, record, model)
  local body, problem = decoded(http)
  if not body then return nil, problem end
  record.body, record.model = body, model or (type(body.model) == "string" and body.model or nil)
  return protocol.read(body, http, model)
end

local function script_failure(server, err)
  server.failure = err
  return { status = 500, type = "script_error", message = "the mock's script failed: " .. tostring(err) }
end

local function serve(server, reply, http, record)
  local protocol, model = protocols.of(http.path)
  record.protocol = protocol.name
  local request, problem = understood(protocol, http, record, model)
  if not request then return deliver.error(reply, protocol, numbered(server, {}), problem) end
  numbered(server, request)
  request.path, request.headers, request.body = http.path, http.headers, record.body
  local answer, err = server.script:answer(request)
  if not answer then return deliver.error(reply, protocol, request, script_failure(server, err)) end
  record.fault = answer.fault
  deliver.answer(reply, protocol, request, answer, server.latency_ms)
end

-- Counts a request however it ends, also when its task is cancelled.
local function counted(server, reply, http)
  local record, began = server.journal:begin(http), clock.us()
  local _ <close> = setmetatable({}, { __close = function()
    record.status, record.duration_ms = reply.status, (clock.us() - began) / 1000
    server.journal:finish(record)
    if server.log then server.log(record) end
  end })
  serve(server, reply, http, record)
end

--- Answers one request; called by its connection, in a task.
---@async
function Server:answer(from, http)
  local reply = replies.new(from, http)
  if http.method == "POST" and protocols.of(http.path) then return counted(self, reply, http) end
  if (http.method == "GET" or http.method == "HEAD") and get(self, reply, http) ~= false then return end
  no_such_path(reply, http)
end

--- Answers what is no request.
---@async
function Server:refuse(from, fault)
  send_json(replies.new(from), fault.status, { error = { message = fault.message, type = "invalid_request_error" } })
end

-- Counting -----------------------------------------------------------------------------------------

function Server:sent(bytes)
  self.journal.counts.bytes_out = self.journal.counts.bytes_out + bytes
end

function Server:received(bytes)
  self.journal.counts.bytes_in = self.journal.counts.bytes_in + bytes
end

function Server:forget(from)
  self.connections[from] = nil
  self.journal.counts.open_connections = self.journal.counts.open_connections - 1
end

--- Counts since the start: `requests, by_path, by_status, by_fault, in_flight, max_in_flight,
--- connections, open_connections, bytes_in, bytes_out`.
---@return table
function Server:stats()
  return self.journal:stats()
end

--- The last requests, oldest first, without what might be secret.
---@return curia.mock.Record[]
function Server:requests()
  return table.move(self.journal.records, 1, #self.journal.records, 1, {})
end

--- Stops listening and closes every connection, answered or not. Safe to call twice.
function Server:close()
  if not self.listener:is_closing() then self.listener:close() end
  for from in pairs(self.connections) do from:close() end
end

-- Starting -----------------------------------------------------------------------------------------

local function accept(server)
  local socket = require "luv".new_tcp()
  if not server.listener:accept(socket) then return socket:close() end
  local counts = server.journal.counts
  counts.connections, counts.open_connections = counts.connections + 1, counts.open_connections + 1
  server.connections[connection.new(socket, server)] = true
end

local function check_options(options)
  for name in pairs(options) do
    local known = false
    for _, option in ipairs(OPTIONS) do known = known or option == name end
    if not known then error(suggest.message("option", name, OPTIONS), 3) end
  end
end

-- luv raises for what is no address, and returns nil for one that cannot be had.
local function bind(server)
  local called, ok, message, name = pcall(server.listener.bind, server.listener, server.listen, server.port)
  if not called then return nil, ok, "EINVAL" end
  if not ok then return nil, message, name end
  return server.listener:listen(BACKLOG, function(problem)
    if not problem then accept(server) end
  end)
end

local function listen(server)
  local ok, message, name = bind(server)
  if not ok then
    server.listener:close()
    return nil, errors.new("permanent", ("cannot listen on %s:%d: %s"):format(server.listen, server.port, message),
      { code = name })
  end
  server.port = server.listener:getsockname().port
  local host = server.listen:find(":", 1, true) and "[" .. server.listen .. "]" or server.listen
  server.url = ("http://%s:%d"):format(host, server.port)
  return server
end

--- Starts a server. Unknown options raise.
---@param options? curia.mock.Options
---@return curia.mock.Server?
---@return curia.Error? err a script that is wrong (`validation`), an address that is taken (`permanent`)
function M.start(options)
  options = options or {}
  check_options(options)
  local script, err = scripts.new(options.script)
  if not script then return nil, err end
  local server = { script = script, log = options.log, count = 0, connections = {}, limits = {} }
  for name, value in pairs(DEFAULTS) do server[name] = options[name] or value end
  server.limits.max_header_bytes, server.limits.max_body_bytes = server.max_header_bytes, server.max_body_bytes
  server.journal = journal.new(server.keep)
  server.listener = require "luv".new_tcp()
  return listen(setmetatable(server, Server))
end

return M
