--- What council files see in place of `pairs`, `os` and `math`: in a durable run these give the same each time that the
--- run is resumed (SPEC 16), and luv is refused. Outside of one they are Lua's own.
local clock = require "curia.core.clock"
local errors = require "curia.errors"
local task = require "curia.task"

local M = {}

-- The dice of a durable run, by the key of its scope.
local dice = {}

--- From now on the tasks of a scope throw these dice.
---@param key lightuserdata
---@param random? curia.Random nil: they have none any more
function M.set_dice(key, random)
  dice[key] = random
end

-- ---- pairs ----------------------------------------------------------------------------------------

local RANK = { number = 1, string = 2, boolean = 3 }

local function before(a, b)
  local of_a, of_b = RANK[type(a)], RANK[type(b)]
  if of_a ~= of_b then return of_a < of_b end
  if of_a == 3 then return a and not b end
  return a < b
end

local function sorted_keys(t)
  local keys = {}
  for key in next, t do
    if not RANK[type(key)] then
      error(("pairs: a durable run has no order for a key that is a %s"):format(type(key)), 3)
    end
    keys[#keys + 1] = key
  end
  table.sort(keys, before)
  return keys
end

-- What was taken out meanwhile does not come any more.
local function sorted_pairs(t)
  local keys, i = sorted_keys(t), 0
  return function()
    repeat i = i + 1 until keys[i] == nil or t[keys[i]] ~= nil
    return keys[i], t[keys[i]]
  end, t, nil
end

local function steady_pairs(t)
  local meta = getmetatable(t)
  if type(t) ~= "table" or meta and meta.__pairs or not task.in_scope() then return pairs(t) end
  return sorted_pairs(t)
end

-- ---- time and chance ------------------------------------------------------------------------------

local function seconds()
  return clock.wall_ms() // 1000
end

local function steady_os(os)
  return {
    time = function(...)
      if select("#", ...) > 0 or not task.in_scope() then return os.time(...) end
      return seconds()
    end,
    date = function(format, time)
      return os.date(format, time or task.in_scope() and seconds() or nil)
    end,
    clock = function() return task.in_scope() and clock.us() / 1e6 or os.clock() end,
  }
end

local function between(random, low, high)
  if not high then low, high = 1, low end
  if low > high then error("bad argument to 'random' (interval is empty)", 3) end
  return low + random:integer(high - low + 1) - 1
end

-- As math.random does with these.
local function throw(own, low, high)
  if not low then return own:number() end
  return low == 0 and not high and own:bits() or between(own, low, high)
end

local function steady_math(math)
  return {
    random = function(low, high)
      local own = dice[task.in_scope()]
      if own then return throw(own, low, high) end
      if low == nil then return math.random() end
      return high == nil and math.random(low) or math.random(low, high)
    end,
    randomseed = function(...)
      if not task.in_scope() then return math.randomseed(...) end
    end,
  }
end

-- ---- what waits for something that no record knows ---------------------------------------------------

local function refused(name)
  return errors.new("unsupported", ("uv.%s: a durable run waits and acts through ctx, and in the functions of ctx:step"
    .. " and of tools, where luv is as it is"):format(name))
end

local function guarded(luv)
  return setmetatable({}, { __index = function(_, name)
    if task.in_scope() then error(refused(name), 2) end
    return luv[name]
  end })
end

local function steady_require(require_)
  return function(name)
    if name == "luv" then return guarded(require_(name)) end
    return require_(name)
  end
end

local function over(own, library)
  return library and setmetatable(own(library), { __index = library })
end

--- Puts them over the globals of a file.
---@param words table takes them
---@param globals table
---@return table words
function M.install(words, globals)
  words.pairs = globals.pairs and steady_pairs
  words.require = globals.require and steady_require(globals.require)
  words.os, words.math = over(steady_os, globals.os), over(steady_math, globals.math)
  return words
end

return M
