--- Telemetry of councils that choose a council.
local telemetry = require "curia.telemetry"

local M = {}

local function of(ctx, more)
  more.run_id, more.council = ctx.run_id, ctx.council
  return more
end

--- A choice was made.
---@param ctx curia.Ctx whose `metadata.auto` tells it
---@param duration_us integer
function M.decision(ctx, duration_us)
  local auto = ctx.metadata.auto
  telemetry.emit("auto.decision", { duration_us = duration_us }, of(ctx, {
    strategy = auto.strategy, catalog_id = auto.catalog_id, reason = auto.reason, score = auto.score, kind = auto.kind,
  }))
end

--- One strategy of a cascade was tried.
---@param ctx curia.Ctx
---@param step integer from 1
---@param strategy string
---@param chosen boolean
---@param duration_us integer
function M.cascade_step(ctx, step, strategy, chosen, duration_us)
  telemetry.emit("auto.cascade_step", { duration_us = duration_us }, of(ctx, {
    step = step, strategy = strategy, chosen = chosen,
  }))
end

--- A catalog was narrowed to what may be chosen.
---@param ctx curia.Ctx
---@param total integer
---@param kept integer
function M.filtered(ctx, total, kept)
  telemetry.emit("auto.catalog_filtered", { total = total, kept = kept }, of(ctx, {}))
end

return M
