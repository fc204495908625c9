--- How many columns a text takes on a terminal, and how to clean, cut and break it.
-- A cluster is a character with what combines with it; texts are cut between clusters only.
local M = {}

local ZWJ = 0x200d

local tables -- loaded when the first text beyond ASCII comes by

local function contains(ranges, code)
  local low, high = 1, #ranges // 2
  while low <= high do
    local middle = (low + high) // 2
    if code < ranges[2 * middle - 1] then high = middle - 1
    elseif code > ranges[2 * middle] then low = middle + 1
    else return true end
  end
  return false
end

local function code_columns(code)
  if code < 0x300 then return 1 end
  tables = tables or require "curia.view.width_table"
  if contains(tables.zero, code) then return 0 end
  return contains(tables.wide, code) and 2 or 1
end

-- Directions that are forced on what follows could make a member's text pass for ours.
local FORCED_DIRECTION = "\xe2\x80[\xaa-\xae]"
local ISOLATED_DIRECTION = "\xe2\x81[\xa6-\xa9]"

local function repaired(text)
  local parts, at = {}, 1
  while at <= #text do
    local length, wrong = utf8.len(text, at)
    local stop = length and #text or wrong - 1
    parts[#parts + 1] = text:sub(at, stop)
    if not length then parts[#parts + 1] = "\u{FFFD}" end
    at = (wrong or #text) + 1
  end
  return table.concat(parts)
end

--- The text as it may be shown: valid UTF-8 without control characters, so that no answer can move the cursor,
--- change colours or pose as the program. Line feeds stay, tabs become blanks.
---@param text string
---@return string
function M.clean(text)
  local clean = text:gsub("\t", "    "):gsub("[\0-\9\11-\31\127]", "")
  if not clean:find("[\128-\255]") then return clean end
  if not utf8.len(clean) then clean = repaired(clean) end
  return (clean:gsub("\xc2[\x80-\x9f]", ""):gsub(FORCED_DIRECTION, ""):gsub(ISOLATED_DIRECTION, ""))
end

--- The text for a terminal that knows ASCII only: "?" for each character that is none.
---@param text string clean
---@return string
function M.ascii(text)
  return (text:gsub(utf8.charpattern, function(character) return #character > 1 and "?" or nil end))
end

--- Splits off what may be the beginning of a character whose end has not come yet.
---@param text string
---@return string whole
---@return string rest at most three bytes
function M.split_incomplete(text)
  local from, lead = text:match("()([\xc2-\xf4])[\x80-\xbf]*$")
  if not from then return text, "" end
  local needed = lead < "\xe0" and 2 or lead < "\xf0" and 3 or 4
  if #text - from + 1 >= needed then return text, "" end
  return text:sub(1, from - 1), text:sub(from)
end

--- Iterates over the clusters of a clean text.
---@param text string
---@return fun(): integer?, integer, integer first byte, last byte, columns
function M.clusters(text)
  local at = 1
  return function()
    if at > #text then return nil end
    local first, columns, joined = at, nil, false
    while at <= #text do
      local code = utf8.codepoint(text, at)
      local own = joined and 0 or code_columns(code)
      if columns and own > 0 then break end
      columns = columns or own
      joined = code == ZWJ
      at = utf8.offset(text, 2, at)
    end
    return first, at - 1, columns
  end
end

--- The columns that a clean text takes.
---@param text string
---@return integer
function M.columns(text)
  if not text:find("[\128-\255]") then return #text end
  local sum = 0
  for _, _, columns in M.clusters(text) do sum = sum + columns end
  return sum
end

local function head(text, columns)
  local sum = 0
  for first, _, own in M.clusters(text) do
    sum = sum + own
    if sum > columns then return text:sub(1, first - 1) end
  end
  return text
end

--- The text, cut to a number of columns; what is cut ends in "…".
---@param text string clean, one line
---@param columns integer
---@return string
function M.cut(text, columns)
  if M.columns(text) <= columns then return text end
  if columns < 1 then return "" end
  return (head(text, columns - 1):gsub(" +$", "")) .. "…"
end

--- The text, filled up with blanks to a number of columns.
---@param text string
---@param columns integer
---@return string
function M.pad(text, columns)
  return text .. (" "):rep(columns - M.columns(text))
end

-- Where a line may end: `last` is its last byte, `next` the first of the line that follows.
local function fold(text, columns, lines)
  local from, sum, last, next, before = 1, 0, nil, nil, 0
  for first, stop, own in M.clusters(text) do
    local blank = text:byte(first) == 32
    if not blank and sum + own > columns and sum > 0 then
      lines[#lines + 1] = text:sub(from, last or first - 1):gsub(" +$", "")
      from, sum = next or first, sum - (last and before or sum)
      last, next = nil, nil
    end
    if blank then last, next, before = first - 1, stop + 1, sum + own end
    sum = sum + own
    if own == 2 then last, next, before = stop, stop + 1, sum end
  end
  return text:sub(from)
end

--- Breaks one paragraph at blanks, between wide characters, and inside words that are longer than a line. More
--- text at the end changes no line but the last.
---@param text string clean, without line feeds
---@param columns integer at least 2
---@return string[] at least one line
function M.wrap(text, columns)
  if #text <= columns then return { text } end
  local lines = {}
  local last = fold(text, columns, lines)
  lines[#lines + 1] = last
  return lines
end

--- Breaks a text of several paragraphs.
---@param text string clean
---@param columns integer at least 2
---@return string[]
function M.wrap_all(text, columns)
  local lines = {}
  for paragraph in (text .. "\n"):gmatch("(.-)\n") do
    for _, line in ipairs(M.wrap(paragraph, columns)) do lines[#lines + 1] = line end
  end
  return lines
end

--- Breaks a line of our own, with everything but its first line indented.
---@param text string clean, one line
---@param columns integer
---@param indent integer columns that the other lines are moved in by
---@return string[]
function M.hang(text, columns, indent)
  local lines = M.wrap(text, math.max(columns - indent, 8))
  for i = 2, #lines do lines[i] = (" "):rep(indent) .. lines[i] end
  return lines
end

return M
