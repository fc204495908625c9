--- The member states how sure it is; the statement is read and taken out of the answer (verbalised confidence: Lin,
--- Hilton, Evans 2022; Tian et al. 2023).
--
-- An answer in JSON states it in a field: its schema gets one where it has none of its own.
local prompts = require "curia.prompts"
local report = require "curia.confidence.report"

local M = { asks = true }

local FIELD = "confidence"
local NUMBER = { type = "number", description = "how likely the answer is right, from 0 to 1" }

local function copied(t)
  local made = {}
  for key, value in pairs(t) do made[key] = value end
  return setmetatable(made, getmetatable(t))
end

local function has_field(schema)
  return type(schema.properties) == "table" and schema.properties[FIELD] ~= nil
end

local function is_object(schema)
  return type(schema) == "table" and (schema.type == "object" or type(schema.properties) == "table")
end

-- The field is not required: the schema that the answer is checked against does not know it.
local function with_field(schema)
  local made = copied(schema)
  made.properties = copied(schema.properties or {})
  made.properties[FIELD] = NUMBER
  return made
end

-- In a list and a message of its own: the messages may be the round's, shared by all members.
local function append(messages, text)
  local made = table.move(messages, 1, #messages, 1, {})
  local last = made[#made]
  if last and last.role == "user" and type(last.content) == "string" then
    made[#made] = copied(last)
    made[#made].content = last.content .. "\n\n" .. text
  else
    made[#made + 1] = { role = "user", content = text }
  end
  return made
end

--- Asks for the statement.
---@param request table
function M.prepare(request)
  local schema = request.schema
  if not is_object(schema) then
    request.messages = append(request.messages, prompts.self_report())
    return
  end
  request.messages = append(request.messages, prompts.self_report_field(FIELD))
  if not has_field(schema) then request.schema, request.confidence_field = with_field(schema), FIELD end
end

--- Reads the statement and takes it out of the answer.
---@param response table its `content` changes
---@param request table as `prepare` left it
---@return number? share
---@return string? why there is none
function M.read(response, request)
  local value, rest, stated = report.read(response.content)
  local field = request and request.confidence_field
  response.content = field and report.without_field(rest, field) or rest
  if value then return value end
  return nil, stated and "the confidence that the member stated cannot be read" or "the member stated no confidence"
end

return M
