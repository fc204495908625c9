--- A schema where the vendor has no native form of it: the answer is asked for as the arguments of a
-- forced tool, and read back as content.
local json = require "curia.json"
local prompts = require "curia.prompts"
local schemas = require "curia.schema"

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

-- Arguments are objects: any other answer is a member of one. Its references lead to the $defs of the root.
local function parameters_of(schema)
  if schemas.is_object(schema) then return schema end
  return {
    type = "object", properties = { answer = schema }, required = json.array { "answer" }, ["$defs"] = schema["$defs"],
  }
end

--- The tool that takes the answer, in the neutral form.
---@param request table
---@return table tool
function M.tool(request)
  return { name = M.tool_name(request), about = prompts.answer_tool(), parameters = parameters_of(request.schema) }
end

-- The answer in a call's arguments, as text.
local function content_of(call, request)
  local arguments = call.arguments
  if not arguments then return call.raw end
  if schemas.is_object(request.schema) or arguments.answer == nil then return json.encode(arguments) end
  return json.encode(arguments.answer)
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
      content = content_of(call, request)
    else
      rest[#rest + 1] = call
    end
  end
  return rest[1] and rest or nil, content
end

return M
