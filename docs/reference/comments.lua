-- Doc comments of Lua sources: LuaLS annotations above functions, methods, fields and classes.
local M = {}

---@class docs.Tag
---@field kind string param, return, field, class, overload, async, ...
---@field name? string of a parameter, a field, a class
---@field type? string
---@field text string

---@class docs.Comment
---@field text string[] paragraphs before the tags, line by line
---@field tags docs.Tag[]

-- A type ends at the first blank outside of brackets that no ":", "|" or "," carries on.
local function take_type(text)
  local depth, at = 0, 1
  while at <= #text do
    local char = text:sub(at, at)
    if char:find "[%(%{%[<]" then depth = depth + 1
    elseif char:find "[%)%}%]>]" then depth = depth - 1
    elseif char == " " and depth == 0 and not text:sub(1, at - 1):find "[:|,]%s*$" then break end
    at = at + 1
  end
  return text:sub(1, at - 1), (text:sub(at):gsub("^%s+", ""))
end

local function named(rest)
  local name, after = rest:match "^(%S+)%s*(.*)$"
  local type, text = take_type(after or "")
  return { name = name, type = type, text = text }
end

local READERS = { param = named, field = named }

READERS["return"] = function(rest)
  local type, text = take_type(rest)
  return { type = type, text = text }
end

READERS.class = function(rest)
  local name, text = rest:match "^([%w_.]+)%s*:?%s*(.*)$"
  return { name = name, text = text or "" }
end

-- The sections of the specification are the developers' own affair.
local function public(text)
  return (text:gsub(" %(SPEC [^)]*%)", ""):gsub(" of SPEC %d+", ""))
end

local function read_tag(line)
  local kind, rest = public(line):match "^@(%w+)%s*(.*)$"
  local tag = (READERS[kind] or function(text) return { text = text } end)(rest)
  tag.kind = kind
  return tag
end

-- What follows a tag on lines of its own belongs to it.
local function read(lines)
  local comment = { text = {}, tags = {} }
  for _, line in ipairs(lines) do
    local last = comment.tags[#comment.tags]
    if line:find "^@%w" then comment.tags[#comment.tags + 1] = read_tag(line)
    elseif last then last.text = last.text .. " " .. public((line:gsub("^%s+", "")))
    else comment.text[#comment.text + 1] = public(line) end
  end
  return comment
end

-- "---" begins a doc comment; "--" goes on with its text.
local function doc_line(line)
  return line:match "^%s*%-%-%-%s?(.*)$" or line:match "^%s*%-%-%s(.*)$"
end

--- The doc comment that ends above a line.
---@param lines string[] of a source
---@param number integer
---@return docs.Comment?
function M.above(lines, number)
  local first = number
  while first > 1 and doc_line(lines[first - 1]) do first = first - 1 end
  while first < number and not lines[first]:find "^%s*%-%-%-" do first = first + 1 end
  if first == number then return nil end
  local block = {}
  for i = first, number - 1 do block[#block + 1] = doc_line(lines[i]) end
  return read(block)
end

--- The text of a source's first comment, which tells what it is for.
---@param lines string[]
---@return string
function M.first(lines)
  local text = {}
  for _, line in ipairs(lines) do
    local doc = doc_line(line) or line:match "^%-%-(%s*)$"
    if not doc then break end
    text[#text + 1] = public(doc)
  end
  return table.concat(text, "\n")
end

--- The lines of a source.
---@param path string
---@return string[]
function M.lines(path)
  local lines = {}
  for line in io.lines(path) do lines[#lines + 1] = line end
  return lines
end

--- The tags of one kind.
---@param comment docs.Comment
---@param kind string
---@return docs.Tag[]
function M.tags(comment, kind)
  local found = {}
  for _, tag in ipairs(comment.tags) do
    if tag.kind == kind then found[#found + 1] = tag end
  end
  return found
end

return M
