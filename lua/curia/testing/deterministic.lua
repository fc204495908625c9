--- Runs that are the same each time, to the byte of their events: the time, the ids of runs and the seeds are fixed.
local check = require "curia.language.check"
local random = require "curia.engine.random"
local suggest = require "curia.suggest"
local system = require "curia.core.system"
local virtual = require "curia.testing.virtual"

local M = {}

local OPTIONS = { seed = "integer", at = "number" }
local AT_MS = 1767225600000 -- 2026-01-01T00:00:00Z

local function check_options(opts)
  for name, value in pairs(opts) do
    local kind = OPTIONS[name]
    if not kind then
      error(("testing.deterministic: unknown option '%s'%s"):format(tostring(name), suggest.hint(name, OPTIONS)), 3)
    elseif not check.match({ type = kind }, value) then
      error(("testing.deterministic: %s is a%s"):format(name, kind == "integer" and " whole number" or " number"), 3)
    end
  end
end

-- Version 7 by its form, and in order.
local function ids()
  local count = 0
  return function()
    count = count + 1
    return ("00000000-0000-7000-8000-%012x"):format(count)
  end
end

local function with_dice(seed, fn, ...)
  local dice = random.new(seed)
  local uuid7, random_integer = system.uuid7, system.random_integer
  system.uuid7, system.random_integer = ids(), function() return dice:bits() end
  math.randomseed(seed)
  local outcome = table.pack(pcall(virtual.within, "testing.deterministic", fn, ...))
  system.uuid7, system.random_integer = uuid7, random_integer
  math.randomseed()
  return table.unpack(outcome, 1, 3)
end

--- Calls `fn()` in virtual time that always begins at the same moment, while runs without a `seed` and a `run_id` of
--- their own get the same each time. What it calls must be as steady: answers from a script or offline, no other
--- timers. Raises where time is virtual already.
---@async
---@param fn fun(): any
---@param opts? {seed?: integer, at?: number} the dice's seed (1); the Unix time in ms at which it begins (2026-01-01)
---@return any its values (at most two)
function M.deterministic(fn, opts)
  opts = opts or {}
  check_options(opts)
  if virtual.active() then error("testing.deterministic: time is virtual already", 2) end
  local ok, first, second = with_dice(opts.seed or 1, opts.at or AT_MS, fn)
  if not ok then error(first, 0) end
  return first, second
end

return M
