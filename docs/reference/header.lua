-- C headers: paragraphs of a comment and what it is about, divided by blank lines.
local M = {}

---@class docs.Block
---@field section? string a title: this block has nothing else
---@field text string the comment, as Markdown
---@field code string the declarations, as they are; "" where there are none
---@field names string[] what is declared

local function strip(line)
  return (line:gsub("^%s*/%*%s?", ""):gsub("%s*%*/%s*$", ""):gsub("^ %*$", ""):gsub("^ %* ?", ""))
end

-- The comment that a paragraph begins with, and the lines after it.
local function split_comment(lines)
  local text, at = {}, 1
  if not (lines[1] or ""):find "^/%*" then return text, at end
  repeat
    text[#text + 1] = strip(lines[at])
    at = at + 1
  until lines[at - 1]:find "%*/" or not lines[at]
  return text, at
end

-- Machinery of the language that says nothing to a reader.
local function is_machinery(line)
  return line:find "^#" or line:find '^extern "C" {' or line == "}" or line:find "^struct [%w_]+;$"
end

local function name_in(line)
  return line:match "^[%w_][%w_ ]*[ %*]([%w_]+)%(" or line:match "^} ([%w_]+);" or line:match "^typedef .-([%w_]+);$"
    or line:match "^enum { ([%w_]+)"
end

local function read_code(lines, from)
  local code, names = {}, {}
  for i = from, #lines do
    if not is_machinery(lines[i]) then
      code[#code + 1] = lines[i]
      names[#names + 1] = name_in(lines[i])
    end
  end
  return table.concat(code, "\n"), names
end

local function read_block(lines)
  local section = lines[1]:match "^/%* %-%-%-%- (.-) %-+ %*/$"
  if section then return { section = section, text = "", code = "", names = {} } end
  local text, from = split_comment(lines)
  local code, names = read_code(lines, from)
  while text[#text] == "" do text[#text] = nil end
  return { text = table.concat(text, "\n"), code = code, names = names }
end

-- Blank lines inside of comments and braces divide nothing.
local function paragraphs(source)
  local found, lines, comment, depth = {}, {}, false, 0
  for line in (source .. "\n\n"):gmatch "(.-)\n" do
    if line == "" and not comment and depth == 0 then
      if lines[1] then found[#found + 1] = lines end
      lines = {}
    else
      lines[#lines + 1] = line
    end
    if line:find "/%*" then comment = true end
    if not comment and not line:find '^extern "C"' and line ~= "}" then
      depth = depth + select(2, line:gsub("{", "")) - select(2, line:gsub("}", ""))
    end
    if line:find "%*/" then comment = false end
  end
  return found
end

--- The blocks of a header.
---@param source string its text
---@return docs.Block[]
function M.blocks(source)
  local blocks = {}
  for i, lines in ipairs(paragraphs(source)) do blocks[i] = read_block(lines) end
  return blocks
end

return M
