--- Loads council files: text only, in an environment of their own, errors with file and line.
local lazy = require "curia.lazy"
local council = require "curia.council"
local data_form = lazy "curia.language.data_form"
local dsl = require "curia.language.composition"
local from_data = lazy "curia.language.from_data"
local errors = require "curia.errors"
local steady = require "curia.language.steady"
local suggest = require "curia.suggest"
local system = require "curia.core.system"

local M = {}

local globals = function() return _G end

--- From now on files see these globals instead of Lua's.
---@param fn fun(): table gives them, for each file
function M.confine(fn)
  globals = fn
end

-- The words stand between the file's own variables and _G, so that nothing a file sets reaches _G.
local function environment()
  local words = setmetatable(steady.install(dsl.install({}), globals()), { __index = globals() })
  return setmetatable({}, { __index = words })
end

local function known_globals()
  local names = {}
  for name in pairs(dsl.words) do names[name] = true end
  for name in pairs(globals()) do names[name] = true end
  return names
end

-- A misspelt word of the language is a global that is nil.
local function with_hint(message)
  local name = message:match("global '([%w_]+)'")
  return name and message .. suggest.hint(name, known_globals()) or message
end

local function message_of(problem)
  if type(problem) == "string" then return with_hint(problem) end
  local meta = getmetatable(problem)
  if type(meta) == "table" and meta.__tostring then return tostring(problem) end
  return ("the error is %s"):format(problem == nil and "nil" or "a " .. type(problem))
end

local function failed(problem)
  local message = message_of(problem)
  local traceback = debug.traceback(message, 2)
  if errors.is(problem) then
    problem.traceback = problem.traceback or traceback
    return problem
  end
  return errors.new("script", message, { traceback = traceback })
end

local function script_error(path, message, code)
  return nil, errors.new("script", ("%s %s"):format(path, message), { code = code })
end

local function names_of(declared)
  local names = {}
  for i, made in ipairs(declared) do names[i] = made.name end
  return names
end

local function by_name(path, name, declared, returned)
  if council.is(returned) and returned.name == name then return returned end
  for i = #declared, 1, -1 do
    if declared[i].name == name then return declared[i] end
  end
  local names = names_of(declared)
  return script_error(path, ("declares no council '%s'%s"):format(name, #names > 0 and
    ("; it declares %s%s"):format(table.concat(names, ", "), suggest.hint(name, names)) or ""))
end

local function only(path, declared)
  if #declared == 1 then return declared[1] end
  if #declared == 0 then return script_error(path, "declares no council") end
  return script_error(path, ("declares several councils (%s): return one, or choose with %s#name"):format(
    table.concat(names_of(declared), ", "), path))
end

local function choose(path, name, declared, returned)
  if name then return by_name(path, name, declared, returned) end
  if council.is(returned) then return returned end
  if returned == nil then return only(path, declared) end
  local what = type(returned) == "table" and tostring(getmetatable(returned) and returned or "a table")
    or "a " .. type(returned)
  return script_error(path, ("returned %s; a council file returns a council, or declares one"):format(what))
end

local sources = setmetatable({}, { __mode = "k" }) -- by council

--- The file that a council was loaded from.
---@param made curia.Council
---@return {path: string, hash: string}? source `path` as it was given to `load`; `hash` of the file's text
function M.source_of(made)
  return sources[made]
end

-- Of a file with several councils, the name says which.
local function note_sources(councils, path, text)
  local hash = system.sha256(text)
  for _, made in ipairs(councils) do
    sources[made] = { path = #councils > 1 and path .. "#" .. made.name or path, hash = hash }
  end
end

local function councils_of(declared)
  local councils = {}
  for _, made in ipairs(declared) do
    if council.is(made) then councils[#councils + 1] = made end
  end
  return councils
end

local function evaluate(chunk)
  local declared, ok, result = dsl.collecting(function() return xpcall(chunk, failed) end)
  if not ok then return nil, result end
  return declared, result
end

local function run(chunk, path, name)
  local declared, result = evaluate(chunk)
  if not declared then return nil, result end
  return choose(path, name, councils_of(declared), result)
end

--- Runs a council's source text.
---@param text string
---@param chunk_name string as for `load`, such as "@council.lua"
---@param name? string which of its councils
---@return curia.Council?
---@return curia.Error? err kind `script`
function M.load_text(text, chunk_name, name)
  local chunk, message = load(text, chunk_name, "t", environment())
  if not chunk then return nil, errors.new("script", message) end
  return run(chunk, (chunk_name:gsub("^[@=]", "")), name)
end

-- A file of JSON holds one council in the data form.
local function load_json(path)
  local file, message = io.open(path, "rb")
  if not file then return nil, errors.new("script", message) end
  local text = file:read(data_form.limits.bytes + 1) or ""
  file:close()
  return from_data.council_from(text)
end

local function is_readable(path)
  local handle, message = io.open(path, "rb")
  if not handle then return false, message end
  handle:close()
  return true
end

-- As loadfile: a mark of the byte order and a first line that is the shell's are no Lua.
local function without_preamble(text)
  return (text:gsub("^\xEF\xBB\xBF", ""):gsub("^#[^\n]*", ""))
end

--- Takes "FILE#name" apart; a file that has that very name stays whole.
---@param path string
---@return string path
---@return string? name
function M.split(path)
  local file, name = path:match("^(.+)#([^#/]+)$")
  if not file or is_readable(path) then return path end
  return file, name
end

local function read(path)
  local readable, problem = is_readable(path)
  if not readable then return nil, errors.new("script", problem, { code = "not_found" }) end
  local file <close> = assert(io.open(path, "rb"))
  local text, message = file:read "a"
  if text then return text end
  return nil, errors.new("script", ("cannot read %s: %s"):format(path, message))
end

--- Runs a file and gives all that it has declared, councils and workflows.
---@param path string
---@return any[]? declared
---@return any returned what the file returns, or why it has failed (kind `script`)
function M.evaluate(path)
  local text, err = read(path)
  if not text then return nil, err end
  local chunk, message = load(without_preamble(text), "@" .. path, "t", environment())
  if not chunk then return nil, errors.new("script", message) end
  local declared, returned = evaluate(chunk)
  if declared then note_sources(councils_of(declared), path, text) end
  return declared, returned
end

--- The council of a file that was evaluated: as `load` chooses it.
---@param path string
---@param name? string
---@param declared any[]
---@param returned any
---@return curia.Council?
---@return curia.Error? err kind `script`
function M.council_of(path, name, declared, returned)
  return choose(path, name, councils_of(declared), returned)
end

--- Runs a council file: the council that it returns, else the only one that it declares, else the one named
--- by `name` or by "FILE#name". A file whose name ends in .json is read as data.
---@param path string
---@param name? string
---@return curia.Council?
---@return curia.Error? err kind `script`, with file and line; code `not_found` when there is no such file;
--- `invalid_council` for data that is no council
function M.load(path, name)
  if not name then path, name = M.split(path) end
  if path:find("%.json$") and is_readable(path) then return load_json(path) end
  local declared, returned = M.evaluate(path)
  if not declared then return nil, returned end
  return M.council_of(path, name, declared, returned)
end

return M
