--- What was typed, as a function: an expression gives its values, a statement none; unfinished text goes on.
local M = {}

-- A variable of one line is to be there in the next, so that a local becomes a variable of the session. (With an
-- attribute, or as a part of something longer, it stays what it is.)
local function kept(text)
  local rest = text:match "^%s*local%s+(function%s.*)$" or text:match "^%s*local%s+([%a_][%w_, \t]*=.*)$"
  return rest or text
end

local function is_unfinished(message)
  return message:find("<eof>", #message - 6, true) ~= nil
end

--- Compiles a text.
---@param text string
---@param env table
---@return function? fn
---@return string? message why not
---@return boolean? unfinished more lines may make it whole
function M.compile(text, env)
  local fn = load("return " .. text, "=repl", "t", env)
  if fn then return fn end
  local message
  fn, message = load(kept(text), "=repl", "t", env)
  if fn then return fn end
  return nil, message, is_unfinished(message)
end

return M
