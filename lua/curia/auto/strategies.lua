--- The strategies of `auto`: each a module `{name, choose, asks, needs}`, a function of the user's own, or a table
-- `{"name", option = ...}`.
local clock = require "curia.core.clock"
local suggest = require "curia.suggest"
local telemetry = require "curia.telemetry"
local told = require "curia.telemetry.auto"
local user_code = require "curia.engine.user_code"

local M = {}

local NAMES = { "rules", "cascade", "embedding", "llm_classify", "llm_build" }
local DEFAULT_THRESHOLD = 0.72

local cascade = { name = "cascade", needs = {} }

local function module_of(name)
  if name == "cascade" then return cascade end
  for _, known in ipairs(NAMES) do
    if known == name then return require("curia.auto." .. name) end
  end
end

local function parts(strategy)
  if type(strategy) ~= "table" then return strategy, {} end
  return strategy[1] or strategy.type, strategy
end

--- The name of a strategy, for `metadata.auto`.
---@param strategy any
---@return string
function M.name(strategy)
  local name = parts(strategy)
  return type(name) == "function" and "function" or name
end

--- The strategies of a cascade, in order; of any other, itself.
---@param strategy any
---@return any[]
function M.members(strategy)
  local name, own = parts(strategy)
  if name ~= "cascade" then return { strategy } end
  return own.strategies or table.move(own, 2, #own, 1, {})
end

--- Options of one strategy over those of `auto`.
---@param strategy any
---@param opts table
---@return table
function M.options(strategy, opts)
  local _, own = parts(strategy)
  return setmetatable({ threshold = own.threshold or DEFAULT_THRESHOLD }, { __index = opts })
end

local function check_one(strategy, opts, path, inside, faults)
  local name, own = parts(strategy)
  if type(name) == "function" then return end
  local module = module_of(name)
  if not module then
    return faults:add(path, "wrong_type", suggest.message("strategy", name, NAMES))
  elseif inside and name == "cascade" then
    return faults:add(path, "cycle", "a cascade cannot hold a cascade")
  end
  if own.threshold ~= nil and type(own.threshold) ~= "number" then
    faults:add(path .. ".threshold", "wrong_type", "threshold is a number")
  end
  for _, needed in ipairs(module.needs) do
    if opts[needed] == nil then
      faults:add(needed, "missing", ("strategy '%s' has no %s"):format(name, needed))
    end
  end
end

--- Checks the strategy of an `auto`.
---@param opts table
---@param faults curia.Faults
function M.check(opts, faults)
  if opts.strategy == nil then return end
  check_one(opts.strategy, opts, "strategy", false, faults)
  if M.name(opts.strategy) ~= "cascade" then return end
  local list = M.members(opts.strategy)
  if #list == 0 then faults:add("strategy", "empty", "a cascade without strategies") end
  for i, strategy in ipairs(list) do check_one(strategy, opts, ("strategy[%d]"):format(i), true, faults) end
end

--- What a strategy asks a model, or nil: `{system = text}`. In a cascade the first that asks counts.
---@param strategy any
---@return {system: string}?
function M.asks(strategy)
  for _, one in ipairs(M.members(strategy)) do
    local module = module_of(M.name(one))
    if module and module.asks then return module.asks end
  end
end

local function own_choice(fn, ctx, entries)
  local ok, chosen, reason = user_code.try("strategy of auto", fn, ctx.input, entries, ctx)
  if not ok then error(chosen, 0) end
  if chosen == nil then return nil, reason and tostring(reason) end
  for _, entry in ipairs(entries) do
    if entry == chosen or entry.id == chosen then return { entry = entry, reason = reason } end
  end
  if type(chosen) == "table" then return { council = chosen, reason = reason } end
  return nil, ("the function chose '%s', which is no entry"):format(tostring(chosen))
end

--- Lets a strategy choose.
---@async
---@param strategy any
---@param ctx curia.Ctx
---@param entries curia.CatalogEntry[]
---@param opts table of `auto`
---@return {entry?: curia.CatalogEntry, council?: curia.Council, reason?: string, score?: number}?
---@return string? reason why nothing was chosen
function M.choose(strategy, ctx, entries, opts)
  local name = parts(strategy)
  if type(name) == "function" then return own_choice(name, ctx, entries) end
  return module_of(name).choose(ctx, entries, M.options(strategy, opts), strategy)
end

--- Tries strategies in order; the first that chooses counts.
function cascade.choose(ctx, entries, opts, strategy)
  local reasons = {}
  for i, one in ipairs(M.members(strategy)) do
    local began = clock.us()
    local choice, reason = M.choose(one, ctx, entries, opts)
    if telemetry.on["auto.cascade_step"] then
      told.cascade_step(ctx, i, M.name(one), choice ~= nil, clock.us() - began)
    end
    if choice then
      choice.strategy = M.name(one)
      return choice
    end
    reasons[i] = ("%s: %s"):format(M.name(one), reason or "nothing")
  end
  return nil, table.concat(reasons, "; ")
end

return M
