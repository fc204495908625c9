--- Servers in this process to which all providers lead for a while: what comes in is answered by whoever opened them.
local configuration = require "curia.config"
local connection = require "curia.mock.connection"
local mock_http = require "curia.mock.http"
local providers = require "curia.language.providers"

local M = {}

local LIMITS = { max_header_bytes = 64 * 1024, max_body_bytes = 64 * 1024 * 1024 }

-- A server for each provider, as adapters look at the path of an address: it stays as it is.
---@class curia.testing.Door what the connections of the mock take for their server
---@field provider string
---@field origin string scheme and host of the provider
local Door = { limits = LIMITS }
Door.__index = Door

function Door.sent() end
function Door.received() end

function Door:forget(from)
  self.connections[from] = nil
end

function Door.refuse(_, from, fault)
  from:send(mock_http.head(fault.status, { ["content-length"] = "0" }))
end

function Door:answer(from, request)
  return self.reply(from, request, self.provider, self.origin)
end

function Door:close()
  if not self.listener:is_closing() then self.listener:close() end
  for from in pairs(self.connections) do from:close() end
end

local function accept(door)
  local socket = require "luv".new_tcp()
  if not door.listener:accept(socket) then return socket:close() end
  door.connections[connection.new(socket, door)] = true
end

local function open_door(provider, origin, reply)
  local door = setmetatable({ provider = provider, origin = origin, reply = reply, connections = {} }, Door)
  door.listener = require "luv".new_tcp()
  assert(door.listener:bind("127.0.0.1", 0))
  assert(door.listener:listen(128, function(problem)
    if not problem then accept(door) end
  end))
  door.url = "http://127.0.0.1:" .. door.listener:getsockname().port
  return door
end

---@class curia.testing.Relay
---@field doors curia.testing.Door[]
local Relay = {}
Relay.__index = Relay

local function with_address(raw, url)
  local copy = {}
  for field, value in pairs(raw) do copy[field] = value end
  copy.base_url, copy.base_url_env = url, nil
  return copy
end

local function lead(self, name, registry)
  local entry = providers.entry(name, registry)
  if not entry or not entry.base_url or entry.adapter.call then return end
  local origin, path = entry.base_url:match "^(%a+://[^/]+)(.*)$"
  local door = open_door(name, origin, self.reply)
  self.doors[#self.doors + 1] = door
  registry:register("provider", name, with_address(registry:lookup("provider", name), door.url .. path))
end

--- Opens a relay: every provider that is asked over HTTP leads to it, until it is closed.
---@param reply fun(from: curia.mock.Connection, request: curia.mock.Request, provider: string, origin: string) async
---@return curia.testing.Relay to be closed
function M.open(reply)
  local self = setmetatable({ reply = reply, doors = {} }, Relay)
  local registry = configuration.shared().registry
  for _, name in ipairs(registry:list "provider") do lead(self, name, registry) end
  return self
end

--- Gives the providers their addresses back; idempotent.
function Relay:close()
  local registry = configuration.shared().registry
  for _, door in ipairs(self.doors) do
    door:close()
    registry:unregister("provider", door.provider)
  end
  self.doors = {}
end

Relay.__close = Relay.close

return M
