--- The tools that a member may call: as its requests carry them, and by name.
local errors = require "curia.errors"
local lazy = require "curia.lazy"
local suggest = require "curia.suggest"
local tool_sets = lazy "curia.durable.tool_set"
local user_code = require "curia.engine.user_code"

local M = {}

---@class curia.Toolbox
---@field tools table[] as requests carry them
---@field by_name table<string, table>
local Toolbox = {}
Toolbox.__index = Toolbox

local function put(box, tool)
  if box.by_name[tool.name] then
    return nil, errors.new("tool", ("two tools are called '%s'"):format(tool.name), { code = "duplicate_id" })
  end
  box.by_name[tool.name] = tool
  box.tools[#box.tools + 1] = tool
  return true
end

local function list_tools(set, what, journal)
  local function list() return user_code.call(what, set.list) end
  if journal then return tool_sets.open(journal, set.name or "tools", list) end
  return list()
end

local function put_set(box, set, journal)
  local what = "tools " .. (set.name or set.about or "")
  local listed, err = list_tools(set, what, journal)
  if not listed then return nil, err or errors.new("tool", what .. ": none were listed") end
  for _, tool in ipairs(listed) do
    local ok, problem = put(box, tool)
    if not ok then return nil, problem end
  end
  return true
end

local function fill(list, journal)
  local box, lasting = setmetatable({ tools = {}, by_name = {} }, Toolbox), true
  for _, tool in ipairs(list) do
    lasting = lasting and tool.list == nil
    local ok, err = (tool.list and put_set or put)(box, tool, journal)
    if not ok then return nil, err end
  end
  return box, nil, lasting
end

local boxes = setmetatable({}, { __mode = "k" })

--- The toolbox of a list of tools. Sets among them are asked for their tools anew each time; in a durable
--- run, what they first said is on record.
---@async
---@param list table[] planned tools
---@param journal? curia.Journal of a durable run
---@return curia.Toolbox?
---@return curia.Error? err a set that cannot tell its tools, or two of one name
function M.open(list, journal)
  if boxes[list] then return boxes[list] end
  local box, err, lasting = fill(list, journal)
  if box and lasting then boxes[list] = box end
  return box, err
end

--- The tool that a model calls by its name.
---@param name string
---@return table? tool
---@return curia.Error? err
function Toolbox:find(name)
  local tool = self.by_name[name]
  if tool then return tool end
  return nil, errors.new("validation", suggest.message("tool", name, self.by_name), { code = "unknown_tool" })
end

return M
