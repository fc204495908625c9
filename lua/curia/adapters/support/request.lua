--- What all adapters do alike when a request is built: URLs, headers, whole numbers, texts.
local json = require "curia.json"

local M = {}

--- Puts a path behind a base URL, in front of its query string (Azure's `?api-version=`).
---@param base string
---@param path string with its leading slash
---@return string
function M.url(base, path)
  local place, query = base:match("^([^?]*)(.*)$")
  place = place:gsub("/+$", "")
  if place:sub(-#path) == path then return place .. query end
  return place .. path .. query
end

--- Adds the version segment that a bare host lacks: `https://host` -> `https://host/v1`.
---@param base string
---@param version string such as "/v1"
---@return string
function M.versioned(base, version)
  local place, query = base:match("^([^?]*)(.*)$")
  place = place:gsub("/+$", "")
  if place:match("^%a+://[^/]+$") then return place .. version .. query end
  return place .. query
end

--- The adapter's own headers and the provider's configured ones, which win.
---@param own table<string, string>
---@param configured table<string, string>|nil
---@return table<string, string>
function M.headers(own, configured)
  own["content-type"] = "application/json"
  if configured then
    for name, value in pairs(configured) do own[name:lower()] = value end
  end
  return own
end

local shared = setmetatable({}, { __mode = "k" })

--- The headers of a configuration: made for its first call and used by all.
---@param config table {api_key, headers}; not to be changed from within
---@param own fun(key: string|nil): table<string, string> the adapter's own headers
---@return table<string, string> headers not to be changed
function M.shared_headers(config, own)
  local made = shared[config]
  if not made or made.own ~= own then
    made = { own = own, headers = M.headers(own(config.api_key), config.headers) }
    shared[config] = made
  end
  return made.headers
end

--- The header that most vendors take the key in.
---@param key string|nil
---@return table<string, string>
function M.bearer(key)
  return { authorization = key and "Bearer " .. key or nil }
end

--- Integer fields: `8192 / 2` is 4096.0 in Lua, which providers refuse.
---@param value number|nil
---@return number|nil
function M.integer(value)
  return value and (math.tointeger(value) or value)
end

--- The text of a message's content: a string, or a list of `{type = "text", text =}`.
---@param content string|table|nil
---@return string
function M.text(content)
  if type(content) == "string" then return content end
  if type(content) ~= "table" then return "" end
  local pieces = {}
  for i, part in ipairs(content) do
    pieces[i] = type(part) == "string" and part or part.text or ""
  end
  return table.concat(pieces)
end

--- Splits the system messages off: their joined text, and the rest in order.
---@param messages table[]
---@return string|nil system, table[] rest
function M.split_system(messages)
  local system, rest = {}, {}
  for _, message in ipairs(messages) do
    if message.role == "system" then
      system[#system + 1] = M.text(message.content)
    else
      rest[#rest + 1] = message
    end
  end
  return system[1] and table.concat(system, "\n\n") or nil, rest
end

--- Opaque parts of an assistant message, if they come from this adapter (and, where both are known,
--- from this model: signatures and encrypted reasoning mean nothing to another).
---@param message table
---@param adapter string
---@param model string|nil
---@return table|nil
function M.own_parts(message, adapter, model)
  local parts = message.provider_parts
  if type(parts) ~= "table" or parts.adapter ~= adapter then return nil end
  if parts.model and model and parts.model ~= model then return nil end
  return parts
end

--- The argument text of a call: as the vendor sent it where it is an object, else encoded.
---@param call table
---@return string
function M.arguments_text(call)
  if call.raw and call.arguments and call.raw:find("%S") and call.raw ~= "null" then return call.raw end
  return call.arguments and json.encode(call.arguments) or "{}"
end

--- The arguments of a call as an object.
---@param call table
---@return table
function M.arguments_object(call)
  local arguments = call.arguments
  if arguments == nil or next(arguments) == nil then return json.object() end
  return arguments
end

--- Merges the user's own fields into a body; they win.
---@param body table
---@param extra table|nil
---@return table body
function M.extend(body, extra)
  if extra then
    for key, value in pairs(extra) do body[key] = value end
  end
  return body
end

--- The name that errors begin with: the configured provider's where the request tells it.
---@param request table|nil
---@param name string the adapter's name
---@return string
function M.label(request, name)
  return request and request.provider or name
end

local EFFORT_BUDGET = { minimal = 1024, low = 2048, medium = 8192, high = 24576, xhigh = 32768, max = 32768 }

--- The thinking budget in tokens that a reasoning setting means.
---@param reasoning string|table|nil
---@return integer|nil
function M.reasoning_budget(reasoning)
  if type(reasoning) == "table" then
    return M.integer(reasoning.budget_tokens) or EFFORT_BUDGET[reasoning.effort]
  end
  return EFFORT_BUDGET[reasoning]
end

--- The effort word that a reasoning setting means; a budget is put into the nearest class.
---@param reasoning string|table|nil
---@return string|nil
function M.reasoning_effort(reasoning)
  if type(reasoning) ~= "table" then return reasoning or nil end
  if reasoning.effort or not reasoning.budget_tokens then return reasoning.effort end
  if reasoning.budget_tokens <= EFFORT_BUDGET.low then return "low" end
  return reasoning.budget_tokens <= EFFORT_BUDGET.medium and "medium" or "high"
end

--- The parameters of a tool; a tool without any takes an empty object.
---@param tool table
---@return table
function M.parameters(tool)
  if tool.parameters and next(tool.parameters) ~= nil then return tool.parameters end
  return { type = "object", properties = json.object() }
end

return M
