--- The manual of the language (docs/language.md) by topics: what stands under one heading.
local M = {}

-- `vote`, "Decision rules" -> vote, decision-rules
local function name_of(heading)
  return (heading:gsub("`", ""):lower():gsub("[^%w_]+", "-"):gsub("^%-+", ""):gsub("%-+$", ""))
end

-- Headings outside of code blocks, each with its level and the line on which it stands.
local function headings(lines)
  local found, in_code = {}, false
  for i, line in ipairs(lines) do
    if line:find("^```") then in_code = not in_code end
    local marks, heading = line:match "^(##+)%s+(.+)$"
    if marks and not in_code then found[#found + 1] = { level = #marks, heading = heading, line = i } end
  end
  return found
end

local function lines_of(text)
  local lines = {}
  for line in (text .. "\n"):gmatch "([^\n]*)\n" do lines[#lines + 1] = line end
  return lines
end

-- The line before the next heading of the same level or a higher one.
local function last_line(found, i, count)
  for j = i + 1, #found do
    if found[j].level <= found[i].level then return found[j].line - 1 end
  end
  return count
end

---@class curia.Section
---@field name string
---@field heading string
---@field level integer
---@field text string with its heading

--- The sections of a text, in order.
---@param text string Markdown
---@return curia.Section[]
function M.sections(text)
  local lines = lines_of(text)
  local found, sections = headings(lines), {}
  for i, at in ipairs(found) do
    sections[i] = {
      name = name_of(at.heading), heading = at.heading, level = at.level,
      text = table.concat(lines, "\n", at.line, last_line(found, i, #lines)):gsub("%s+$", "") .. "\n",
    }
  end
  return sections
end

--- The language's manual.
---@return string
function M.text()
  return require "curia.docs.language"
end

--- The section of that name.
---@param name string
---@return string?
function M.topic(name)
  local wanted = name_of(name)
  for _, section in ipairs(M.sections(M.text())) do
    if section.name == wanted then return section.text end
  end
end

--- The names of all sections.
---@return string[]
function M.names()
  local names = {}
  for i, section in ipairs(M.sections(M.text())) do names[i] = section.name end
  return names
end

return M
