--- Markdown as people read it on a terminal: code indented instead of fenced, tables in columns.
local width = require "curia.view.width"

local M = {}

local WIDEST_CELL, NARROWEST = 40, 12

-- The cells of a table's row; a bar in code ("`a | b`") is none between cells.
local function cells_of(line)
  local cells, cell, in_code = {}, {}, false
  for char in line:gsub("^|%s*", ""):gmatch "." do
    if char == "`" then in_code = not in_code end
    if char == "|" and not in_code then
      cells[#cells + 1], cell = table.concat(cell):gsub("%s+$", ""):gsub("^%s+", ""), {}
    else
      cell[#cell + 1] = char
    end
  end
  return cells
end

-- The widths of all columns but the last, which takes what is left of the line.
local function widths_of(rows, columns)
  local widths = {}
  for _, cells in ipairs(rows) do
    for i, cell in ipairs(cells) do widths[i] = math.max(widths[i] or 0, math.min(width.columns(cell), WIDEST_CELL)) end
  end
  local left = columns
  for i = 1, #widths - 1 do left = left - widths[i] - 2 end
  widths[#widths] = math.max(left, NARROWEST)
  return widths
end

local function row_lines(cells, widths)
  local broken, height, lines = {}, 1, {}
  for i, cell in ipairs(cells) do
    broken[i] = width.wrap(cell, widths[i])
    height = math.max(height, #broken[i])
  end
  for y = 1, height do
    local line = {}
    for i, pieces in ipairs(broken) do line[i] = width.pad(pieces[y] or "", widths[i]) end
    lines[y] = table.concat(line, "  "):gsub("%s+$", "")
  end
  return lines
end

local function append_table(lines, block, columns)
  local rows = {}
  for _, line in ipairs(block) do
    if not line:find "^|[-|]+$" then rows[#rows + 1] = cells_of(line) end
  end
  if #rows == 0 then return end
  local widths = widths_of(rows, columns)
  for _, cells in ipairs(rows) do
    for _, line in ipairs(row_lines(cells, widths)) do lines[#lines + 1] = line end
  end
end

-- A link leads nowhere on a terminal: its words stay.
local function text_line(line, in_code)
  if in_code then return line ~= "" and "    " .. line or line end
  return (line:gsub("%[([^%]]+)%]%([%w_./#-]+%)", "%1"))
end

--- A text without the marks of code blocks, tables and links.
---@param text string Markdown; it ends with a line feed
---@param columns integer the width that tables keep to
---@return string
function M.plain(text, columns)
  local lines, block, in_code = {}, {}, false
  for line in text:gmatch "([^\n]*)\n" do
    local in_table = not in_code and line:find "^|"
    if not in_table and block[1] then
      append_table(lines, block, columns)
      block = {}
    end
    if in_table then block[#block + 1] = line
    elseif line:find "^```" then in_code = not in_code
    else lines[#lines + 1] = text_line(line, in_code) end
  end
  append_table(lines, block, columns)
  return table.concat(lines, "\n") .. "\n"
end

return M
