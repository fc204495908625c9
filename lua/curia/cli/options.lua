--- One small parser for the options of every command. What an option is stands in a table:
--
--     { "input", short = "i", value = "FILE", doc = "read the input from FILE" }
--
-- Without `value` an option is a switch. `optional` makes the value optional (then only `--name=value` gives it),
-- `many` gathers the values of repeated options in a list, `convert(text) -> value | nil, message` reads it.
local suggest = require "curia.suggest"

local M = {}

---@class curia.cli.Option
---@field [1] string its long name
---@field short? string one letter
---@field value? string what its value is called in the help; nil for a switch
---@field optional? boolean
---@field many? boolean
---@field convert? fun(text: string): any, string?
---@field doc string

local HELP = { "help", short = "h", doc = "show this help" }

local function index(specs)
  local by_long, by_short = { help = HELP }, { h = HELP }
  for _, spec in ipairs(specs) do
    by_long[spec[1]] = spec
    if spec.short then by_short[spec.short] = spec end
  end
  return by_long, by_short
end

local function unknown(name, by_long)
  local nearest = suggest.nearest(name, by_long)
  return ("unknown option '--%s'%s"):format(name, nearest and ("; did you mean '--%s'?"):format(nearest) or "")
end

local function key(spec)
  return (spec[1]:gsub("%-", "_"))
end

local function store(values, spec, value)
  if spec.many then
    values[key(spec)] = values[key(spec)] or {}
    table.insert(values[key(spec)], value)
    return true
  end
  if values[key(spec)] ~= nil then return nil, ("--%s stands twice"):format(spec[1]) end
  values[key(spec)] = value
  return true
end

local function set(values, spec, text)
  if text == nil then return store(values, spec, true) end
  if not spec.convert then return store(values, spec, text) end
  local value, message = spec.convert(text)
  if value == nil then return nil, ("--%s %s: %s"):format(spec[1], text, message) end
  return store(values, spec, value)
end

local function take_value(state, spec)
  local text = state.args[state.at + 1]
  if text == nil or (text:find("^%-.") and not tonumber(text)) then
    return nil, ("--%s needs a value (%s)"):format(spec[1], spec.value)
  end
  state.at = state.at + 1
  return text
end

local function long(state, arg)
  local name, text = arg:match("^%-%-([^=]+)=(.*)$")
  name = name or arg:sub(3)
  local spec = state.by_long[name]
  if not spec then return nil, unknown(name, state.by_long) end
  if text and not spec.value then return nil, ("--%s takes no value"):format(name) end
  if not text and spec.value and not spec.optional then
    local message
    text, message = take_value(state, spec)
    if not text then return nil, message end
  end
  return set(state.values, spec, text)
end

-- "-i FILE", "-iFILE", and switches in a row: "-qv".
local function short(state, arg)
  local at = 2
  while at <= #arg do
    local spec = state.by_short[arg:sub(at, at)]
    if not spec then return nil, ("unknown option '-%s'"):format(arg:sub(at, at)) end
    local text
    if spec.value and not spec.optional then
      text = at < #arg and arg:sub(at + 1) or nil
      at = #arg
      if not text then
        local message
        text, message = take_value(state, spec)
        if not text then return nil, message end
      end
    end
    local ok, message = set(state.values, spec, text)
    if not ok then return nil, message end
    at = at + 1
  end
  return true
end

local function step(state, arg)
  if arg:find("^%-%-.") then return long(state, arg) end
  if arg:find("^%-.") and not tonumber(arg) then return short(state, arg) end
  state.rest[#state.rest + 1] = arg
  return true
end

--- Reads a command's arguments. `--` ends the options.
---@param specs curia.cli.Option[]
---@param args string[]
---@return table<string, any>? values by long name, with "_" for "-"
---@return string[]|string rest the other arguments, or what is wrong
function M.parse(specs, args)
  local by_long, by_short = index(specs)
  local state = { args = args, at = 1, values = {}, rest = {}, by_long = by_long, by_short = by_short }
  while state.at <= #args do
    local arg = args[state.at]
    if arg == "--" then
      table.move(args, state.at + 1, #args, #state.rest + 1, state.rest)
      break
    end
    local ok, message = step(state, arg)
    if not ok then return nil, message end
    state.at = state.at + 1
  end
  return state.values, state.rest
end

--- Refuses options that exclude each other.
---@param values table as `parse` returned it
---@param names string[] long names
---@return true?
---@return string? message
function M.exclusive(values, names)
  local first
  for _, name in ipairs(names) do
    if values[key { name }] then
      if first then return nil, ("--%s and --%s exclude each other"):format(first, name) end
      first = name
    end
  end
  return true
end

return M
