--- Rectangles of text: made, framed, set side by side and on top of each other. Every line is as wide as its block.
local width = require "curia.view.width"

local M = {}

---@class curia.Block: string[]
---@field columns integer

local function centred(line, columns)
  return width.pad((" "):rep((columns - width.columns(line)) // 2) .. line, columns)
end

local function block(lines, columns)
  for i, line in ipairs(lines) do lines[i] = centred(line, columns) end
  lines.columns = columns
  return lines
end

local function widest(lines)
  local columns = 0
  for _, line in ipairs(lines) do columns = math.max(columns, width.columns(line)) end
  return columns
end

--- A block of lines, each in the middle.
---@param lines string[] clean
---@return curia.Block
function M.text(lines)
  return block({ table.unpack(lines) }, widest(lines))
end

-- The upper edge has room for a title.
local function edge(columns, title)
  if not title then return "+" .. ("-"):rep(columns + 2) .. "+" end
  local text = "- " .. title .. " "
  return "+" .. text .. ("-"):rep(columns + 2 - width.columns(text)) .. "+"
end

--- A block in a frame, four columns wider.
---@param inner curia.Block
---@param opts? {title?: string, columns?: integer, height?: integer} least columns and lines inside
---@return curia.Block
function M.frame(inner, opts)
  local title, least = opts and opts.title, opts and opts.columns or 0
  local columns = math.max(inner.columns, least, title and width.columns(title) + 2 or 0)
  local lines = { edge(columns, title) }
  for i = 1, math.max(#inner, opts and opts.height or 0) do
    lines[#lines + 1] = "| " .. centred(inner[i] or "", columns) .. " |"
  end
  lines[#lines + 1] = edge(columns)
  return block(lines, columns + 4)
end

--- Blocks on top of each other, each in the middle.
---@param blocks curia.Block[]
---@return curia.Block
function M.stack(blocks)
  local lines, columns = {}, 0
  for _, one in ipairs(blocks) do
    table.move(one, 1, #one, #lines + 1, lines)
    columns = math.max(columns, one.columns)
  end
  return block(lines, columns)
end

local GAP = 2

local function row(blocks)
  local lines, columns, height = {}, (#blocks - 1) * GAP, 0
  for _, one in ipairs(blocks) do
    columns, height = columns + one.columns, math.max(height, #one)
  end
  for i = 1, height do
    local parts = {}
    for at, one in ipairs(blocks) do parts[at] = width.pad(one[i] or "", one.columns) end
    lines[i] = table.concat(parts, (" "):rep(GAP))
  end
  return block(lines, columns)
end

--- Blocks side by side, in as many rows as it takes.
---@param blocks curia.Block[]
---@param columns integer what a row has room for; a block that is wider has a row of its own
---@return curia.Block
function M.beside(blocks, columns)
  local rows, current, taken = {}, {}, -GAP
  for _, one in ipairs(blocks) do
    if #current > 0 and taken + GAP + one.columns > columns then
      rows[#rows + 1] = row(current)
      current, taken = {}, -GAP
    end
    current[#current + 1], taken = one, taken + GAP + one.columns
  end
  if #current > 0 then rows[#rows + 1] = row(current) end
  return M.stack(rows)
end

--- The text of a block, without blanks at the ends of its lines.
---@param one curia.Block
---@return string with a line feed at its end
function M.render(one)
  local lines = {}
  for i, line in ipairs(one) do lines[i] = line:gsub(" +$", "") end
  return table.concat(lines, "\n") .. "\n"
end

return M
