--- The trace context that HTTP callers send (W3C Trace Context, `traceparent`).
local M = {}

---@class curia.otlp.TraceParent
---@field trace_id string 32 hexadecimal digits
---@field span_id string 16 hexadecimal digits: the caller's span
---@field sampled boolean whether the caller records its trace

local FORM = "^(%x%x)%-(" .. ("%x"):rep(32) .. ")%-(" .. ("%x"):rep(16) .. ")%-(%x%x)(.*)$"

local function is_zero(hex)
  return not hex:find "[^0]"
end

-- Later versions may add fields behind a dash; version 00 has none, and ff is none.
local function fits_version(version, rest)
  if version == "ff" then return false end
  return rest == "" or version ~= "00" and rest:sub(1, 1) == "-"
end

--- Reads a `traceparent`.
---@param text string
---@return curia.otlp.TraceParent? nil where it is none
function M.parse(text)
  local version, trace_id, span_id, flags, rest = text:match(FORM)
  if not version or text:find "%u" or not fits_version(version, rest) then return nil end
  if is_zero(trace_id) or is_zero(span_id) then return nil end
  return { trace_id = trace_id, span_id = span_id, sampled = tonumber(flags, 16) & 1 == 1 }
end

local EXPECTED = "must have the form 00-<32 hex digits>-<16 hex digits>-<2 hex digits>, in lower case, no id all zeros"

--- What is wrong with a `traceparent`.
---@param text string
---@return string? nil: nothing
function M.fault(text)
  return not M.parse(text) and EXPECTED or nil
end

return M
