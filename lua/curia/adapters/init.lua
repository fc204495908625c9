--- The adapters by name, and `extend` for vendors that differ little from one of them.
--
-- An adapter is a plain table of pure functions: `build` makes a request, `parse` reads a body,
-- `stream` reads a stream; none does I/O or keeps state besides what `stream.start` gives.
local suggest = require "curia.suggest"

local M = {}

M.names = { "anthropic", "gemini", "ollama", "openai_chat", "openai_responses", "openrouter", "scripted" }

local own = {}
for _, name in ipairs(M.names) do own[name] = true end

--- The adapter of that name, shipped or added.
---@param name string
---@return table? adapter
---@return string? message names the nearest known one
function M.get(name)
  if type(own[name]) == "table" then return own[name] end
  if not own[name] then
    return nil, ("unknown adapter '%s'%s"):format(tostring(name), suggest.hint(name, M.names))
  end
  return require("curia.adapters." .. name)
end

--- Adds an adapter, or replaces one of that name.
---@param adapter table
function M.add(adapter)
  if not own[adapter.name] then M.names[#M.names + 1] = adapter.name end
  own[adapter.name] = adapter
end

local function merged(base, changes)
  local copy = {}
  for key, value in pairs(base) do copy[key] = value end
  for key, value in pairs(changes) do copy[key] = value end
  return copy
end

-- The adapter's reading functions, with its own name in their errors.
local function named(base, name)
  local stream = base.stream
  return {
    parse = base.parse and function(status, headers, body, request)
      return base.parse(status, headers, body, request, name)
    end,
    start = stream and function(request) return stream.start(request, name) end,
  }
end

--- A new adapter that differs from `base` in the fields given; `capabilities` and `stream` are merged
-- field by field. Its errors carry its own name.
---@param base table
---@param changes table with at least `name`
---@return table adapter
function M.extend(base, changes)
  local reading = named(base, changes.name)
  local adapter = merged(base, changes)
  adapter.parse = changes.parse or reading.parse
  adapter.capabilities = merged(base.capabilities or {}, changes.capabilities or {})
  if base.stream or changes.stream then
    adapter.stream = merged(base.stream or {}, changes.stream or {})
    adapter.stream.start = changes.stream and changes.stream.start or reading.start
  end
  return adapter
end

return M
