--- Text as any editor may have written it: without a byte order mark, lines that end as on Unix.
local M = {}

--- Takes the byte order mark and the carriage returns before line ends away.
---@param text string
---@return string
function M.text(text)
  return (text:gsub("^\239\187\191", ""):gsub("\r\n", "\n"))
end

--- The same of one line of many; `first`: it may have the mark.
---@param line string
---@param first boolean
---@return string
function M.line(line, first)
  if first then line = line:gsub("^\239\187\191", "") end
  return (line:gsub("\r$", ""))
end

return M
