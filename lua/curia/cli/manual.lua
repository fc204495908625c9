--- The manual of the language (docs/language.md) by topics: what stands under one heading.
--
-- "## Decision rules" is a chapter, "### temperature, top_p" a section of it that explains two words. A word that has
-- no heading is looked for in the tables, where a row begins with it: "| `judge` | ...".
local markdown = require "curia.cli.markdown"
local width = require "curia.view.width"

local M = {}

local COLUMNS, NARROW = 100, 78

-- `vote`, "Decision rules" -> vote, decision-rules
local function name_of(heading)
  return (heading:gsub("`", ""):lower():gsub("[^%w_]+", "-"):gsub("^%-+", ""):gsub("%-+$", ""))
end

local function names_of(heading)
  local names = {}
  for part in heading:gmatch "[^,]+" do names[#names + 1] = name_of(part) end
  return names
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

-- The words with which the rows of its tables begin.
local function row_words(text)
  local words = {}
  for cell in ("\n" .. text):gmatch "\n| (`[^|]*)|" do
    for word in cell:gmatch '`"?([%w_]+)"?`' do words[name_of(word)] = true end
  end
  return words
end

---@class curia.Section
---@field names string[] what its heading names
---@field heading string
---@field level integer
---@field text string with its heading, up to the next one
---@field words table<string, true> what its tables explain

--- The sections of a text, in order.
---@param text string Markdown
---@return curia.Section[]
function M.sections(text)
  local lines = lines_of(text)
  local found, sections = headings(lines), {}
  for i, at in ipairs(found) do
    local last = found[i + 1] and found[i + 1].line - 1 or #lines
    local own = table.concat(lines, "\n", at.line, last):gsub("%s+$", "") .. "\n"
    sections[i] = { names = names_of(at.heading), heading = at.heading, level = at.level, text = own,
      words = row_words(own) }
  end
  return sections
end

--- The language's manual.
---@return string
function M.text()
  return require "curia.docs.language"
end

-- The names under the headings of a chapter.
local function parts_of(sections, i)
  local names = {}
  for j = i + 1, #sections do
    if sections[j].level <= sections[i].level then break end
    for _, name in ipairs(sections[j].names) do names[#names + 1] = name end
  end
  return names
end

local function further(sections, i)
  local names = parts_of(sections, i)
  if #names == 0 then return "" end
  local lines = width.wrap("More (curia help NAME): " .. table.concat(names, ", "), COLUMNS)
  return "\n" .. table.concat(lines, "\n") .. "\n"
end

local function has(names, wanted)
  for _, name in ipairs(names) do
    if name == wanted then return true end
  end
  return false
end

local function under_headings(sections, wanted)
  local texts = {}
  for i, section in ipairs(sections) do
    if has(section.names, wanted) then texts[#texts + 1] = section.text .. further(sections, i) end
  end
  return texts
end

local function in_tables(sections, wanted)
  local texts = {}
  for _, section in ipairs(sections) do
    if section.words[wanted] then texts[#texts + 1] = section.text end
  end
  return texts
end

--- What the manual says about a name; a chapter tells its sections' names.
---@param name string
---@return string?
function M.topic(name)
  local wanted, sections = name_of(name), M.sections(M.text())
  local texts = under_headings(sections, wanted)
  if #texts == 0 then texts = in_tables(sections, wanted) end
  if #texts > 0 then return markdown.plain(table.concat(texts, "\n"), COLUMNS) end
end

--- Its chapters, each with the names in it.
---@return string
function M.contents()
  local sections, lines = M.sections(M.text()), {}
  for i, section in ipairs(sections) do
    if section.level == 2 then
      lines[#lines + 1] = section.heading
      local names = table.concat(parts_of(sections, i), ", ")
      for _, line in ipairs(names ~= "" and width.wrap(names, NARROW) or {}) do lines[#lines + 1] = "  " .. line end
    end
  end
  return table.concat(lines, "\n")
end

--- The names of all that it explains.
---@return string[]
function M.names()
  local names, seen = {}, {}
  local function add(name)
    if not seen[name] then names[#names + 1] = name end
    seen[name] = true
  end
  for _, section in ipairs(M.sections(M.text())) do
    for _, name in ipairs(section.names) do add(name) end
    local words = {}
    for word in pairs(section.words) do words[#words + 1] = word end
    table.sort(words)
    for _, word in ipairs(words) do add(word) end
  end
  return names
end

return M
