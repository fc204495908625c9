-- The page docs/reference-c.md, from the headers that are installed.
local header = require "docs.reference.header"

local M = {}

local FOLDER = "runtime/include/"
local FILES = { "curia.h", "curia_error.h" }

local HEAD = [[
# C reference

What `#include <curia.h>` offers. This page is written by `docs/reference.lua` from the comments of the
headers.
]]

local function read(path)
  local handle = io.open(path, "rb")
  if not handle then return nil end
  local text = handle:read "a"
  handle:close()
  return text
end

local function add(out, ...)
  for _, text in ipairs { ... } do out[#out + 1] = text end
end

-- A type may be explained by the comments of its members, or by the header's first comment where it has none.
local function is_explained(block)
  return block.text ~= "" or block.code:find "/%*" or block.code:find "^typedef struct [%w_]+ [%w_]+;$"
end

local function write_code(out, block, file)
  if not is_explained(block) then
    error(("%s: no comment above: %s"):format(file, block.code:match "[^\n]*"), 0)
  end
  add(out, "### " .. table.concat(block.names, ", "), "", "```c", block.code, "```", "")
end

local function write_block(out, block, file)
  if block.section then return add(out, "## " .. block.section:sub(1, 1):upper() .. block.section:sub(2), "") end
  if block.names[1] then write_code(out, block, file) end
  if block.text ~= "" then add(out, block.text, "") end
end

local function write_blocks(out, file, source)
  for _, block in ipairs(header.blocks(source)) do write_block(out, block, file) end
end

-- The list of error codes is a macro, XX(NAME, number, "text"), which says less as code than as a table.
local function write_codes(out, source)
  local rows = {}
  for name, text in source:gmatch 'XX%(([%w_]+),[^"\n]-"([^"]*)"%)' do
    rows[#rows + 1] = ("| `CURIA_%s` | %s |"):format(name, text)
  end
  add(out, "| Code | |", "|---|---|", table.concat(rows, "\n"), "")
end

--- The page about headers.
---@param sources table<string, string> by file name
---@return string
function M.of(sources)
  local out = {}
  write_blocks(out, "curia.h", sources["curia.h"])
  local codes = sources["curia_error.h"]
  if codes then
    add(out, "## Error codes", "")
    write_codes(out, codes)
    write_blocks(out, "curia_error.h", codes)
  end
  return HEAD .. "\n" .. table.concat(out, "\n"):gsub("\n+$", "") .. "\n"
end

--- The page.
---@return string
function M.text()
  local sources = {}
  for _, file in ipairs(FILES) do sources[file] = read(FOLDER .. file) end
  return M.of(sources)
end

return M
