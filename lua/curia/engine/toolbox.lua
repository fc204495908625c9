--- The tools that a member may call: as its requests carry them, and by name.
local errors = require "curia.errors"
local suggest = require "curia.suggest"
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

-- In a durable run, each process asks the server for itself: its tools are no data.
local function list_tools(set, journal)
  local what, listed, err = "tools " .. tostring(set.name), nil, nil
  local function list() listed, err = user_code.call(what, set.list) end
  if journal then journal:wait_outside("list/" .. tostring(set.name), list) else list() end
  return listed, err
end

local function put_set(box, set, journal)
  local what = "tools " .. tostring(set.name)
  local listed, err = list_tools(set, journal)
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

--- The toolbox of a list of tools. Sets among them are asked for their tools anew each time.
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
