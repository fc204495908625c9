--- Judges a response: is it an answer, or an error that came as one? (SPEC 10: an error never
--- passes for an answer.)
local errors = require "curia.errors"

local M = {}

-- Members in plain Lua have no provider.
local function name_of(member)
  return member.provider_name or member.id
end

local function refused(response, member, kind, word)
  return errors.new(kind, ("%s: the model %s"):format(name_of(member), word), {
    reason = response.content ~= "" and response.content or nil,
    code = response.finish_reason, provider = member.provider_name,
  })
end

local function empty(response, member)
  if response.finish_reason == "length" then
    local spent = response.usage and response.usage.reasoning_tokens
    return errors.new("invalid_output", ("%s: the answer is empty: its token limit was used up%s"):format(
      name_of(member), spent and (" by %d reasoning tokens"):format(spent) or ""),
      { code = "length", provider = member.provider_name })
  end
  return errors.new("invalid_output", name_of(member) .. ": the answer is empty",
    { code = response.finish_reason, provider = member.provider_name })
end

--- nil when the response is an answer, else why it is none.
---@param response table
---@param member table
---@param may_call? boolean tools were offered: calls of them are an answer too
---@return curia.Error?
function M.fault(response, member, may_call)
  local reason = response.finish_reason
  if reason == "refusal" then return refused(response, member, "refusal", "refused to answer") end
  if reason == "content_filter" then
    return refused(response, member, "content_filter", "was stopped by its content filter")
  end
  if reason == "error" then return refused(response, member, "transient", "ended its answer with an error") end
  local calls = response.tool_calls
  if may_call and calls and calls[1] then return nil end
  if reason == "tool_calls" then
    return errors.new("unsupported", name_of(member) .. ": the model asked for a tool, and none was offered",
      { provider = member.provider_name })
  end
  if not response.content or not response.content:find("%S") then return empty(response, member) end
end

return M
