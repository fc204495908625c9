--- The Model Context Protocol as a client speaks it, on any transport: https://modelcontextprotocol.io/specification
local clock = require "curia.core.clock"
local errors = require "curia.errors"
local json = require "curia.json"
local prompts = require "curia.prompts"
local system = require "curia.core.system"

local M = {}

-- The version that is offered, and those that are understood.
local VERSION = "2025-06-18"
local UNDERSTOOD = { ["2024-11-05"] = true, ["2025-03-26"] = true, [VERSION] = true, ["2025-11-25"] = true }

local MOST_TOOLS, MOST_PAGES, METHOD_NOT_FOUND = 1000, 100, -32601

---@class curia.mcp.Transport
---@field request fun(self, message: table, timeout_ms?: number): table?, curia.Error? async: the answer to it
---@field notify fun(self, message: table): true?, curia.Error? async
---@field fault fun(self): curia.Error? why it can be used no more
---@field close fun(self) async: ends it in bounded time
---@field on_message fun(message: table): table? takes what the server sends of itself; gives the answer to a request
---@field version? string the protocol's version, once it is agreed on

---@class curia.mcp.Client
local Client = {}
Client.__index = Client

-- ---- messages -----------------------------------------------------------------------------------------

local function failed(client, text, fields)
  return errors.new("tool", ("%s: %s"):format(client.name, text), fields)
end

local function result_of(client, method, answer)
  local fault = answer.error
  if type(fault) == "table" then
    return nil, failed(client, ("%s failed: %s"):format(method, tostring(fault.message)), { code = fault.code })
  end
  if type(answer.result) ~= "table" then return nil, failed(client, method .. " gave no result") end
  return answer.result
end

local function request(client, method, params, timeout_ms)
  client.last_id = client.last_id + 1
  local answer, err = client.transport:request({
    jsonrpc = "2.0", id = client.last_id, method = method, params = params,
  }, timeout_ms)
  if not answer then return nil, err end
  return result_of(client, method, answer)
end

-- What servers ask of a client that offers nothing.
local function answer_server(client, message)
  if message.method == "notifications/tools/list_changed" then client.listed = nil end
  if message.id == nil then return nil end
  if message.method == "ping" then return { jsonrpc = "2.0", id = message.id, result = json.object() } end
  return { jsonrpc = "2.0", id = message.id, error = { code = METHOD_NOT_FOUND, message = "not supported" } }
end

-- ---- the conversation ---------------------------------------------------------------------------------

local function introduce(client, timeout_ms)
  local result, err = request(client, "initialize", {
    protocolVersion = VERSION, capabilities = json.object(),
    clientInfo = { name = "curia", version = system.version },
  }, timeout_ms)
  if not result then return nil, err end
  if not UNDERSTOOD[result.protocolVersion] then
    return nil, failed(client, ("it speaks version %s of the protocol"):format(tostring(result.protocolVersion)))
  end
  client.transport.version = result.protocolVersion
  return client.transport:notify { jsonrpc = "2.0", method = "notifications/initialized" }
end

--- Begins to talk to a server.
---@async
---@param transport curia.mcp.Transport
---@param name string for messages
---@param timeout_ms number
---@return curia.mcp.Client?
---@return curia.Error?
function M.connect(transport, name, timeout_ms)
  local client = setmetatable({ transport = transport, name = name, last_id = 0, listed = nil }, Client)
  transport.on_message = function(message) return answer_server(client, message) end
  local ok, err = introduce(client, timeout_ms)
  if not ok then return nil, err end
  return client
end

-- The pages have the time of one request together.
local function list_all(client, timeout_ms)
  local tools, cursor, until_ms = {}, nil, clock.ms() + timeout_ms
  for _ = 1, MOST_PAGES do
    local page, err = request(client, "tools/list", { cursor = cursor }, math.max(1, until_ms - clock.ms()))
    if not page then return nil, err end
    for _, tool in ipairs(page.tools or {}) do tools[#tools + 1] = tool end
    if #tools > MOST_TOOLS then return nil, failed(client, ("it has more than %d tools"):format(MOST_TOOLS)) end
    cursor = page.nextCursor
    if type(cursor) ~= "string" then return tools end
  end
  return nil, failed(client, ("its list of tools has more than %d pages"):format(MOST_PAGES))
end

--- The tools as the server describes them; asked again once the server says that they have changed.
---@async
---@param timeout_ms number
---@return table[]?
---@return curia.Error?
function Client:tools(timeout_ms)
  if self.listed then return self.listed end
  local tools, err = list_all(self, timeout_ms)
  self.listed = tools
  return tools, err
end

local function part_text(part)
  if type(part.text) == "string" then return part.text end
  local resource = type(part.resource) == "table" and part.resource or {}
  if type(resource.text) == "string" then return resource.text end
  return prompts.content_not_shown(part.type, part.mimeType or resource.mimeType, part.uri or resource.uri)
end

local function text_of(content)
  local parts = {}
  for i, part in ipairs(type(content) == "table" and content or {}) do parts[i] = part_text(part) end
  return table.concat(parts, "\n")
end

--- Calls a tool. Its time is the caller's to limit.
---@async
---@param name string
---@param arguments table
---@return any result a text, or the structured content where there is no text
---@return curia.Error?
function Client:call(name, arguments)
  if next(arguments) == nil then arguments = json.object() end
  local result, err = request(self, "tools/call", { name = name, arguments = arguments })
  if not result then return nil, err end
  local text = text_of(result.content)
  if result.isError == true then return nil, failed(self, text ~= "" and text or name .. " failed") end
  if text == "" and type(result.structuredContent) == "table" then return result.structuredContent end
  return text
end

--- Why the server can be used no more, or nil.
---@return curia.Error?
function Client:fault()
  return self.transport:fault()
end

--- Ends the server, or the session with it.
---@async
function Client:close()
  return self.transport:close()
end

return M
