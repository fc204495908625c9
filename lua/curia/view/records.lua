--- What programs read: the result as one document, the events as lines of JSON.
local json = require "curia.json"

local M = {}

local function encoded(value, opts)
  local text, err = json.encode(value, opts)
  if text then return text end
  return json.encode { error = { kind = "internal", message = "cannot be written as JSON: " .. err.message } }
end

--- The result of a run, or of a failure to start one, as a document.
---@param result? table
---@param err? curia.Error what happened where there is no result
---@return string with a line feed at its end
function M.document(result, err)
  return encoded(result or { status = "error", errors = { err } }, { indent = 2 }) .. "\n"
end

--- An event as one line.
---@param event curia.Event
---@return string with a line feed at its end
function M.line(event)
  return encoded(event) .. "\n"
end

return M
