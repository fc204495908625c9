--- The world of scripts that nobody vouches for: what they see, in place of all globals.
--
-- They have the language and the parts of Lua that only compute: nothing that reaches files, programs, the
-- environment, bytecode, the collector, or Curia's own tables. Limits on memory and instructions are the
-- state's (curia.h); the network is not closed to them, as members are reached through it.
local dsl = require "curia.language.composition"
local lazy = require "curia.lazy"
local loader = require "curia.language.loader"
local log = lazy "curia.log"
local pattern = require "curia.core.pattern"

local M = {}

-- ---- functions of Lua that need a guard ------------------------------------------------------------

local SAFE = {
  "assert", "error", "ipairs", "next", "pairs", "pcall", "rawequal", "rawget", "rawlen", "rawset", "select",
  "tonumber", "tostring", "type", "xpcall", "_VERSION",
}

local LIBRARIES = { "coroutine", "math", "string", "table", "utf8" }

local OS = { "clock", "date", "difftime", "time" }

-- Metatables that scripts have set. Those of Curia's values are none of their business.
local own = setmetatable({}, { __mode = "k" })

local function get_metatable(value)
  local meta = getmetatable(value)
  return type(meta) == "table" and own[meta] and meta or nil
end

-- A finalizer could not be stopped.
local function set_metatable(t, meta)
  if type(t) ~= "table" then error("bad argument #1 to 'setmetatable' (table expected)", 2) end
  local present = getmetatable(t)
  if present and not own[present] then error("setmetatable: the table is not the script's own", 2) end
  if type(meta) == "table" then
    if rawget(meta, "__gc") ~= nil then error("setmetatable: there is no __gc in a sandbox", 2) end
    own[meta] = true
  end
  return setmetatable(t, meta)
end

local function collect(what)
  if what == "count" then return collectgarbage "count" end
  error("collectgarbage: only \"count\" in a sandbox", 2)
end

local function print_to_log(...)
  local words = table.pack(...)
  for i = 1, words.n do words[i] = tostring(words[i]) end
  log.write("info", table.concat(words, "\t"))
end

local function loader_for(globals)
  return function(chunk, name, _, env)
    return load(chunk, name, "t", env == nil and globals or env)
  end
end

-- ---- `curia` ---------------------------------------------------------------------------------------

local HIDDEN = { "env", "cmd", "file", "mcp", "http_get" }

local SHOWN = { "is_council", "validate", "decide", "agreement", "null", "estimate" }

local MODULES = { "errors", "json", "prompts", "rules", "anonymize", "calibration", "reliability" }

local function copy(source)
  local made = {}
  for name, value in pairs(source) do made[name] = value end
  return made
end

local function refuse(word)
  return function() error(("%s: not in a sandbox"):format(word), 2) end
end

-- Copies: what a script sets in them is nobody else's.
local function restricted()
  local curia = require "curia"
  local view = dsl.install({})
  view._VERSION = curia._VERSION
  for _, name in ipairs(SHOWN) do view[name] = curia[name] end
  for _, name in ipairs(MODULES) do view[name] = copy(curia[name]) end
  return view
end

local function require_in(module)
  if module == "curia" then return restricted() end
  for _, name in ipairs(MODULES) do
    if module == "curia." .. name then return copy(require(module)) end
  end
  error(("module '%s' is not in the sandbox; 'curia' is, and curia.%s"):format(tostring(module),
    table.concat(MODULES, ", curia.")), 2)
end

-- ---- the world ---------------------------------------------------------------------------------------

local function pick(source, names)
  local made = {}
  for _, name in ipairs(names) do made[name] = source[name] end
  return made
end

--- The globals of a script; a new table each time.
---@return table
function M.globals()
  local globals = pick(_G, SAFE)
  for _, name in ipairs(LIBRARIES) do globals[name] = copy(_G[name]) end
  globals.string.dump = nil
  globals.os = pick(os, OS)
  globals.getmetatable, globals.setmetatable = get_metatable, set_metatable
  globals.collectgarbage, globals.print, globals.require = collect, print_to_log, require_in
  globals._G, globals.load = globals, loader_for(globals)
  return globals
end

--- From now on all council files of this Lua state are run in such a world. For good.
function M.confine()
  pattern.install()
  for _, word in ipairs(HIDDEN) do dsl.add_word(word, refuse(word)) end
  loader.confine(M.globals)
end

return M
