--- Inputs as data: texts such as "trigger.pull.number" and "prior.draft.content" stand for values.
local M = {}

local function keys_of(path)
  local keys = {}
  for key in path:gmatch "[^.]+" do keys[#keys + 1] = math.tointeger(tonumber(key)) or key end
  return keys
end

--- The keys of a path, or nil for a text that is none.
---@param text any
---@return (string|integer)[]? keys the first is "trigger" or "prior"
function M.parse(text)
  if type(text) ~= "string" then return nil end
  if text == "trigger" or text:find "^trigger%.[^%s]+$" or text:find "^prior%.[^%s]+$" then return keys_of(text) end
end

local function follow(value, keys)
  for _, key in ipairs(keys) do
    if type(value) ~= "table" then return nil end
    local found = value[key]
    if found == nil then found = value[tostring(key)] end
    value = found
  end
  return value
end

--- Data with its paths replaced; what a path does not lead to is left out.
---@param data any
---@param values {trigger: any, prior: table}
---@return any
function M.resolve(data, values)
  local keys = M.parse(data)
  if keys then return follow(values, keys) end
  if type(data) ~= "table" then return data end
  local made = setmetatable({}, getmetatable(data))
  for key, item in pairs(data) do made[key] = M.resolve(item, values) end
  return made
end

--- The names of the steps that data speaks of, each with the path's text.
---@param data any
---@param found? {step: string, text: string}[]
---@return {step: string, text: string}[]
function M.steps(data, found)
  found = found or {}
  local keys = M.parse(data)
  if keys and keys[1] == "prior" then found[#found + 1] = { step = tostring(keys[2]), text = data } end
  if type(data) == "table" then
    for _, item in pairs(data) do M.steps(item, found) end
  end
  return found
end

return M
