--- Tools of MCP servers: `tools = { mcp "npx -y @modelcontextprotocol/server-everything" }`.
--
-- A command is started, an address is connected to, when a member first needs the tools; each one once for all
-- councils of this Lua state, and anew after it has died. Servers end with the runtime.
local client = require "curia.tools.mcp.client"
local errors = require "curia.errors"
local json = require "curia.json"
local options = require "curia.engine.options"
local suggest = require "curia.suggest"
local task = require "curia.task"

local M = {}

local START_MS = 30000

-- ---- servers, shared --------------------------------------------------------------------------------

local servers = {} -- key -> {client =, starting =}

local function transport_of(spec)
  local module = spec.url and "curia.tools.mcp.http" or "curia.tools.mcp.stdio"
  return require(module).open(spec)
end

local function connect(spec, server)
  local transport, err = transport_of(spec)
  if not transport then return nil, err end
  local made
  made, err = client.connect(transport, spec.name, spec.timeout_ms or START_MS)
  if not made then
    transport:close()
    return nil, err
  end
  server.client = made
  return made
end

-- In a task of the runtime: whoever asked first may be cancelled while others wait.
local function start(spec, server)
  server.client = nil
  server.starting = server.starting or task.spawn_root(connect, spec, server)
  local starting = server.starting
  local ok, made, err = starting:await()
  if server.starting == starting then server.starting = nil end
  if ok then return made, err end
  return nil, made
end

local function connected(spec)
  local server = servers[spec.key] or {}
  servers[spec.key] = server
  if server.client and not server.client:fault() then return server.client end
  return start(spec, server)
end

--- Ends all servers: politely, then by force, in four seconds at most.
---@async
function M.close()
  local closing = {}
  for _, server in pairs(servers) do
    if server.starting then server.starting:cancel("the servers are closed") end
    if server.client then closing[#closing + 1] = function() server.client:close() end end
  end
  servers = {}
  task.all(closing)
end

-- ---- tools ------------------------------------------------------------------------------------------

-- Servers may use names that model providers do not take.
local function usable_name(name)
  return (name:gsub("[^%w_-]", "_"):sub(1, 64))
end

local function tool_of(spec, described)
  return {
    name = usable_name(described.name), about = described.description, parameters = described.inputSchema,
    timeout_ms = spec.timeout_ms, approval = spec.approval,
    run = function(args)
      local server, err = connected(spec)
      if not server then return nil, err end
      return server:call(described.name, args)
    end,
  }
end

local function names_of(described)
  local names = {}
  for i, tool in ipairs(described) do names[i] = tool.name end
  return names
end

-- The tools that an entry's `only` names, in its order.
local function chosen(spec, described)
  if not spec.only then return described end
  local by_name, found = {}, {}
  for _, tool in ipairs(described) do by_name[tool.name] = tool end
  for i, name in ipairs(spec.only) do
    if not by_name[name] then
      return nil, errors.new("tool", ("%s: %s"):format(spec.name, suggest.message("tool", name, names_of(described))))
    end
    found[i] = by_name[name]
  end
  return found
end

local function list(spec)
  local server, err = connected(spec)
  if not server then return nil, err end
  local described
  described, err = server:tools(spec.timeout_ms or START_MS)
  if described then described, err = chosen(spec, described) end
  if not described then return nil, err end
  local tools = {}
  for i, tool in ipairs(described) do tools[i] = tool_of(spec, tool) end
  return tools
end

local OPTIONS = {
  command = { type = "string", nonempty = true }, url = { type = "string", nonempty = true },
  env = { type = "map", values = { type = "string" } }, headers = { type = "map", values = { type = "string|secret" } },
  timeout_ms = { type = "duration" }, timeout = { type = "duration", alias = "timeout_ms" },
  only = { type = "list", nonempty = true, items = { type = "string" } }, approval = { type = "boolean" },
}

local function is_address(text)
  return text:find "^https?://" ~= nil
end

-- What must be equal for two to share a server. Secrets are known by where they come from.
local function key_of(spec)
  local headers = {}
  for name, value in pairs(spec.headers or {}) do headers[name] = tostring(value) end
  return assert(json.encode { spec.url or json.null, spec.command or json.null, spec.env or {}, headers })
end

--- The tools of an MCP server, as one entry of `tools`.
---@param server string|table a command, an address, or {command =, env =} or {url =, headers =}, with `timeout`, which
--- limits its start (30 s) and each call (the member's tool_timeout), `only`, the names of the tools that are
--- offered, and `approval`, which each call then needs
---@return table set
function M.new(server)
  if type(server) == "string" then server = { [is_address(server) and "url" or "command"] = server } end
  local given = options.read("mcp", server or {}, OPTIONS)
  if (given.command == nil) == (given.url == nil) then error("mcp: a command or a url is needed, one of the two", 2) end
  local spec = { name = ("mcp %q"):format(given.command or given.url), key = key_of(given) }
  for name, value in pairs(given) do spec[name] = value end
  return { list = function() return list(spec) end, about = spec.name }
end

return M
