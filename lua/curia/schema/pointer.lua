--- JSON pointers (RFC 6901): paths of faults, and the local references of schemas.
local json = require "curia.json"

local M = {}

--- A path as text: "/a/0/b~1c"; "" is the whole value.
---@param steps any[] names, and positions counted from 0
---@param count? integer how many of them count
---@return string
function M.text(steps, count)
  local parts = {}
  for i = 1, count or #steps do
    parts[i] = "/" .. tostring(steps[i]):gsub("~", "~0"):gsub("/", "~1")
  end
  return table.concat(parts)
end

local function unescaped(step)
  step = step:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end)
  return (step:gsub("~1", "/"):gsub("~0", "~"))
end

local function child(value, step)
  if type(value) ~= "table" then return nil end
  if not json.is_array(value) then return value[step] end
  local position = step:find "^%d+$" and tonumber(step)
  return position and value[position + 1] or nil
end

--- What a reference such as "#/$defs/node" points to, or nil; "#" is the root itself.
---@param root any
---@param reference string
---@return any
function M.resolve(root, reference)
  local path = reference:match "^#(.*)$"
  if path == "" then return root end
  if not path or path:sub(1, 1) ~= "/" then return nil end
  local value = root
  for step in path:gmatch "/([^/]*)" do value = child(value, unescaped(step)) end
  return value
end

return M
