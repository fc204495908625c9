--- Sets of tools (an MCP server's) in durable runs. What a set has listed is on record: a run that goes on offers its
--- models what it had offered, whatever the server says by then, and needs no server for what has finished.
local errors = require "curia.errors"
local json = require "curia.json"

local M = {}

-- What of a tool is data.
local DATA = { "name", "about", "parameters", "timeout_ms", "approval", "idempotent" }

local function describe(tools)
  local described = json.array()
  for i, tool in ipairs(tools) do
    described[i] = {}
    for _, field in ipairs(DATA) do described[i][field] = tool[field] end
  end
  return described
end

local function by_name(tools)
  local named = {}
  for _, tool in ipairs(tools) do named[tool.name] = tool end
  return named
end

-- The set as this process knows it: asked for its tools when one of them is first called, if not before.
local Set = {}
Set.__index = Set

function Set:listed()
  local tools, err = self.list()
  if tools then self.tools = by_name(tools) end
  return tools, err
end

function Set:call(name, args, ctx)
  if not self.tools then
    local tools, err = self:listed()
    if not tools then return nil, err end
  end
  local tool = self.tools[name]
  if tool then return tool.run(args, ctx) end
  return nil, errors.new("tool", ("%s: the tool '%s' is not offered any more"):format(self.name, name))
end

local function stand_in(set, described)
  function described.run(args, ctx) return set:call(described.name, args, ctx) end
  return described
end

--- The tools of a set, as the run first heard of them.
---@async
---@param journal curia.Journal
---@param name string the set's
---@param list fun(): table[]?, curia.Error? asks the set
---@return table[]? tools nil where none were listed
---@return curia.Error? err
function M.open(journal, name, list)
  local set = setmetatable({ name = name, list = list }, Set)
  local described, err = journal:value {
    path = "list/" .. name, kind = "list", input = { set = name },
    call = function()
      local tools, problem = set:listed()
      return tools and describe(tools), problem
    end,
  }
  for _, tool in ipairs(described or {}) do stand_in(set, tool) end
  return described, err
end

return M
