--- A member's conversation with its model, from the first request to the response that ends it.
local tries = require "curia.engine.tries"

local M = {}

--- The response that ends the conversation.
---@async
---@param turn curia.Turn
---@param request table neutral request
---@return table? response
---@return curia.Error? err
function M.answer(turn, request)
  return tries.answer(turn, request)
end

return M
