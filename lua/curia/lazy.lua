--- Modules that few councils need: loaded when something of them is first asked for, so that starting stays quick.
--
--     local lazy = require "curia.lazy"
--     local schemas = lazy "curia.schema"

local Lazy = { __name = "curia.lazy" }

local names = setmetatable({}, { __mode = "k" })

function Lazy:__index(field)
  local value = require(names[self])[field]
  rawset(self, field, value)
  return value
end

--- A module of functions, loaded on first use.
---@param name string
---@return table
return function(name)
  local proxy = setmetatable({}, Lazy)
  names[proxy] = name
  return proxy
end
