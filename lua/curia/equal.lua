--- Whether two values say the same: tables are compared by what is in them, all else as Lua does.
local DEEPEST = 64

local function equal(a, b, depth)
  if a == b then return true end
  if type(a) ~= "table" or type(b) ~= "table" or depth > DEEPEST then return false end
  for key, value in pairs(a) do
    if not equal(value, b[key], depth + 1) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

--- Tables that stand deeper than 64 in others are not taken to be equal.
---@param a any
---@param b any
---@return boolean
return function(a, b)
  return equal(a, b, 0)
end
