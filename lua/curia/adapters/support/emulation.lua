--- A schema where the vendor has no native form of it: the answer is asked for as the arguments of a
-- forced tool, and read back as content.
local json = require "curia.json"

local M = {}

--- The name of the tool that takes the answer.
---@param request table
---@return string
function M.tool_name(request)
  local name = request.schema_name or "answer"
  for _, tool in ipairs(request.tools or {}) do
    if tool.name == name then return name .. "_as_data" end
  end
  return name
end

--- The tool that takes the answer, in the neutral form.
---@param request table
---@return table tool
function M.tool(request)
  return {
    name = M.tool_name(request),
    about = "Gives the final answer. Call it exactly once, when you are done.",
    parameters = request.schema,
  }
end

--- Takes the answer out of the calls of a response.
---@param calls table[]|nil
---@param request table
---@return table[]|nil calls, string|nil content
function M.unwrap(calls, request)
  if not calls then return nil end
  local name, rest, content = M.tool_name(request), {}, nil
  for _, call in ipairs(calls) do
    if call.name == name and not content then
      content = call.arguments and json.encode(call.arguments) or call.raw
    else
      rest[#rest + 1] = call
    end
  end
  return rest[1] and rest or nil, content
end

return M
