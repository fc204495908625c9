--- The input of a run, from the command line: a question, a JSON file or a pipe, single fields.
local json = require "curia.json"
local plain = require "curia.cli.plain"

local M = {}

local MISSING = "the question is missing: give it as an argument, with -i FILE or with -i -"

local function read_all(path)
  if path == "-" then return plain.text(io.read("a") or "") end
  local handle, message = io.open(path, "rb")
  if not handle then return nil, message end
  local text <const> = handle:read("a")
  handle:close()
  if not text then return nil, path .. " cannot be read" end
  return text
end

local function decode(text, name)
  local value, err = json.decode(text)
  if err then return nil, ("%s: %s"):format(name, err.message) end
  if type(value) ~= "table" or json.is_array(value) then return nil, name .. ": the input is not a JSON object" end
  return value
end

-- A pipe brings JSON, or a question as people write it; a file brings JSON.
local function from_source(path)
  if not path then return {} end
  local text, message = read_all(path)
  if not text then return nil, message end
  if path ~= "-" then return decode(text, path) end
  if text:find("^%s*{") then return decode(text, "standard input") end
  local question = text:gsub("%s+$", "")
  if question == "" then return nil, "standard input is empty" end
  return { question = question }
end

local function value_of(text)
  local value, err = json.decode(text)
  if err then return text end
  return value
end

local function set(input, path, text)
  local steps, at = {}, input
  for step in path:gmatch("[^.]+") do steps[#steps + 1] = step end
  if #steps == 0 then return nil, ("--set =%s: the field's name is missing"):format(text) end
  for i = 1, #steps - 1 do
    if at[steps[i]] == nil then at[steps[i]] = {} end
    at = at[steps[i]]
    if type(at) ~= "table" then
      return nil, ("--set %s: '%s' is no object"):format(path, table.concat(steps, ".", 1, i))
    end
  end
  at[steps[#steps]] = value_of(text)
  return true
end

--- Makes the input.
---@param question? string
---@param source? string a JSON file, or "-" for standard input
---@param fields? {[1]: string, [2]: string}[] name and text, in their order
---@return table?
---@return string? message
function M.read(question, source, fields)
  local input, message = from_source(source)
  if not input then return nil, message end
  if question then input.question = question end
  for _, pair in ipairs(fields or {}) do
    local ok, wrong = set(input, pair[1], pair[2])
    if not ok then return nil, wrong end
  end
  if next(input) == nil then return nil, MISSING end
  return input
end

return M
