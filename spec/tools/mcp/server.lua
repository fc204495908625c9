-- An MCP server on standard input and output, for the specs of curia.tools.mcp. Its argument says how it behaves.
local json = require "curia.json"

local behaviour = arg[1] or "well"

local function say(message)
  message.jsonrpc = "2.0"
  io.write(json.encode(message), "\n")
  io.flush()
end

local SCHEMA = { type = "object", properties = { text = { type = "string" } } }
local names = { "echo", "name with spaces", "fail", "die", "hang", "kinds", "data", "log" }
local log, pinged = {}, "no answer yet"

local function page(cursor)
  if behaviour == "endless" then return { tools = json.array(), nextCursor = "again" } end
  local first = cursor and tonumber(cursor) or 1
  local tools = json.array()
  for i = first, math.min(first + 2, #names) do
    tools[#tools + 1] = { name = names[i], description = "does " .. names[i], inputSchema = SCHEMA }
  end
  return { tools = tools, nextCursor = first + 3 <= #names and tostring(first + 3) or nil }
end

local function text(value)
  return { content = { { type = "text", text = value } } }
end

local CALLS = {
  echo = function(args) return text("you said " .. tostring(args.text)) end,
  ["name with spaces"] = function() return text "spaces" end,
  fail = function() return { isError = true, content = { { type = "text", text = "it failed" } } } end,
  die = function()
    io.stderr:write "out of luck\n"
    os.exit(7)
  end,
  kinds = function()
    return { content = { { type = "text", text = "a" }, { type = "image", mimeType = "image/png", data = "AAAA" },
      { type = "resource", resource = { uri = "file:///x", text = "inside" } },
      { type = "resource_link", uri = "file:///y" } } }
  end,
  data = function() return { content = json.array(), structuredContent = { answer = 42 } } end,
  log = function()
    names[#names + 1] = "late"
    say { method = "notifications/tools/list_changed" }
    return text(table.concat(log, ",") .. ";" .. pinged)
  end,
}

local METHODS = {}

function METHODS.initialize(message)
  local version = behaviour == "ancient" and "1999-01-01" or message.params.protocolVersion
  return { protocolVersion = version, capabilities = { tools = json.object() }, serverInfo = { name = "spec" } }
end

METHODS["tools/list"] = function(message) return page(message.params and message.params.cursor) end

METHODS["tools/call"] = function(message)
  local call = CALLS[message.params.name]
  if not call then return nil end
  return call(message.params.arguments)
end

local function answer(message)
  if message.method == "tools/call" and message.params.name == "hang" then return end
  local handler = METHODS[message.method]
  local result = handler and handler(message)
  if result then return say { id = message.id, result = result } end
  say { id = message.id, error = { code = -32602, message = "no such thing" } }
end

if behaviour == "mute" then io.read "a" end
io.write "Welcome to the spec's server!\n"
for line in io.lines() do
  local message = json.decode(line)
  if message.id == "ping-1" then
    pinged = message.result and "pinged" or "refused"
  elseif not message.method then
    pinged = "unexpected"
  elseif message.id == nil then
    log[#log + 1] = message.method
    if message.method == "notifications/initialized" then say { id = "ping-1", method = "ping" } end
  else
    answer(message)
  end
end
if behaviour == "stubborn" then
  while true do os.execute "sleep 1" end
end
