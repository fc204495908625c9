--- From the tools that councils and members list to what the engine calls.
local fields = require "curia.language.fields"
local lower = require "curia.language.lower"

local M = {}

local function looked_up(registry, kind, value)
  return type(value) == "string" and registry:lookup(kind, value) or value
end

local function registered(name, registry)
  local found = registry:lookup("tool", name)
  if type(found) ~= "table" then return nil end
  local tool = lower.record(fields.tool, found)
  tool.name = tool.name or name
  return tool
end

local function copy(record)
  local made = {}
  for name, value in pairs(record) do made[name] = value end
  return made
end

--- A tool with everything that it refers to. Its fields are not judged here.
---@param item string|table a registered name, or a lowered tool
---@param registry curia.Registry
---@return table? tool nil where none is registered under the name
function M.find(item, registry)
  local tool
  if type(item) == "string" then tool = registered(item, registry)
  elseif type(item) == "table" then tool = copy(item) end
  if not tool then return nil end
  tool.parameters = looked_up(registry, "schema", tool.parameters)
  tool.run = looked_up(registry, "function", tool.run)
  return tool
end

--- Whether two entries are the same tool, listed twice.
---@param a table
---@param b table
---@return boolean
function M.same(a, b)
  return a.name == b.name and a.run == b.run and a.list == b.list
end

local function add(found, tool)
  for _, other in ipairs(found) do
    if M.same(tool, other) then return end
  end
  found[#found + 1] = tool
end

--- The tools of several lists, each once, in their order.
---@param lists table<integer, table?> {the council's, the member's}
---@param registry curia.Registry
---@return table[]? tools nil where there are none
function M.resolve(lists, registry)
  local found = {}
  for i = 1, 2 do
    for _, item in ipairs(lists[i] or {}) do add(found, M.find(item, registry)) end
  end
  return #found > 0 and found or nil
end

return M
