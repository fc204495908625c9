--- Completion: names and fields of what is there, councils, :commands, files.
local M = {}

-- What may be behind a name without calling anything.
local function fields_of(value)
  if type(value) == "table" then return value end
  local meta = getmetatable(value)
  return type(meta) == "table" and type(meta.__index) == "table" and meta.__index or {}
end

local function fits(name, prefix)
  return type(name) == "string" and name:sub(1, #prefix) == prefix and name:find "^[%a_][%w_]*$"
end

local function meta_of(value)
  local meta = getmetatable(value)
  return type(meta) == "table" and meta or {}
end

-- Names of a table, of what it says that it has besides (`__names`), and of the tables behind it.
local function add_names(found, source, prefix, only_functions)
  for _ = 1, 8 do
    for name, value in next, source do
      if fits(name, prefix) and (not only_functions or type(value) == "function") then found[name] = true end
    end
    local meta = meta_of(source)
    for name in pairs(rawget(meta, "__names") and not only_functions and meta.__names() or {}) do
      if fits(name, prefix) then found[name] = true end
    end
    source = rawget(meta, "__index")
    if type(source) ~= "table" then return end
  end
end

local function sorted(found, before)
  local list = {}
  for name in pairs(found) do list[#list + 1] = before .. name end
  table.sort(list)
  return list
end

-- The value of `a.b.c`, without running anything of the user's.
local function value_of(path, env)
  local value = env
  for name in path:gmatch "[%a_][%w_]*" do
    local fields = fields_of(value)
    value = rawget(fields, name)
    if value == nil then
      local meta = getmetatable(fields)
      local index = type(meta) == "table" and rawget(meta, "__index")
      value = type(index) == "table" and index[name] or nil
    end
    if value == nil then return nil end
  end
  return value
end

local KEYWORDS = {}
for word in ([[and break do else elseif end false for function if in local nil not or repeat return then true until
  while]]):gmatch "%a+" do KEYWORDS[word] = true end

--- The candidates for the word under the cursor.
---@param line string up to the cursor
---@param start integer where the word begins, from 1
---@param env table the session's variables
---@param more {commands: string[], councils: fun(): string[], files: fun(prefix: string): string[]}
---@return string[] each with the whole word
function M.candidates(line, start, env, more)
  local word, head = line:sub(start), line:sub(1, start - 1)
  local found = {}
  local command = line:match "^%s*:([%a]*)$"
  if command then
    for _, name in ipairs(more.commands) do
      if name:find("^" .. command) then found[":" .. name] = true end
    end
    return sorted(found, "")
  end
  if head:find "^%s*:load%s+$" then return more.files(word) end
  if head:find "^%s*:diagram%s+$" or head:find '["\']$' then
    for _, name in ipairs(more.councils()) do
      if name:sub(1, #word) == word then found[name] = true end
    end
    return sorted(found, "")
  end
  local path, mark, prefix = word:match "^(.-)([.:])([%w_]*)$"
  if path and path ~= "" then
    local value = value_of(path, env)
    if value ~= nil then add_names(found, fields_of(value), prefix, mark == ":") end
    local meta = value ~= nil and getmetatable(value)
    if type(meta) == "table" and type(meta.__index) == "table" then
      add_names(found, meta.__index, prefix, mark == ":")
    end
    return sorted(found, path .. mark)
  end
  add_names(found, env, word, false)
  add_names(found, KEYWORDS, word, false)
  return sorted(found, "")
end

return M
