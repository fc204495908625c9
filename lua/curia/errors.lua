--- Error values: what the outside world did wrong, as a table with a `kind`.
-- Misuse of a function raises; everything else returns `nil, err`.
local suggest_kinds = {
  "transient", "rate_limited", "overloaded", "quota_exhausted", "permanent", "auth", "validation",
  "invalid_output", "content_filter", "refusal", "timeout", "tool", "tool_loop", "quorum", "budget",
  "deadline", "cancelled", "unknown_run", "invalid_council", "replay_mismatch", "storage", "internal",
  "duplicate_run", "orphaned", "poisoned", "script", "unsupported", "terminated",
}

local M = {}

--- Every kind that an error may have (SPEC 10).
M.kinds = {}
for _, kind in ipairs(suggest_kinds) do M.kinds[kind] = true end

---@class curia.Error
---@field kind string one of `errors.kinds`
---@field message string one readable line
---@field reason? string the vendor's own text
---@field member? string
---@field round? string
---@field provider? string
---@field status? integer HTTP status
---@field code? string the vendor's own code
---@field retry_after_ms? number
---@field attempts? integer
---@field context? table
---@field traceback? string where Lua code failed
local Error = { __name = "curia.error" }

function Error:__tostring()
  return self.kind .. ": " .. tostring(self.message)
end

--- Makes an error value.
---@param kind string one of `errors.kinds`
---@param message string
---@param fields? table further fields; the table itself becomes the error
---@return curia.Error
function M.new(kind, message, fields)
  if not M.kinds[kind] then error("unknown error kind '" .. tostring(kind) .. "'", 2) end
  local err = fields or {}
  err.kind, err.message = kind, message
  return setmetatable(err, Error)
end

--- True for values made by `errors.new` (also those that came through a record).
---@param value any
---@return boolean
function M.is(value)
  return type(value) == "table" and M.kinds[rawget(value, "kind")] == true
end

--- Gives a plain table (from a record, from C) the behaviour of an error value.
---@param fields table with `kind` and `message`
---@return curia.Error
function M.wrap(fields)
  return setmetatable(fields, Error)
end

return M
