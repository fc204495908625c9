--- Telemetry of attempts: one request to a provider each.
local clock = require "curia.core.clock"
local errors = require "curia.errors"
local runs = require "curia.telemetry.runs"
local telemetry = require "curia.telemetry"

local M = {}

local on, emit = telemetry.on, telemetry.emit

---@class curia.telemetry.Request an attempt under way; a to-be-closed value, as a cancelled one raises
local Request = {}
Request.__index = Request

local function metadata_of(request)
  local metadata = runs.of_turn(request.turn.run, request.turn.round, request.turn.member.id)
  metadata.model, metadata.provider = request.model.model, request.model.provider_name
  metadata.host, metadata.attempt, metadata.status = request.host, request.turn.attempts, request.status
  return metadata
end

--- An attempt begins.
---@param turn curia.Turn
---@param model table planned member or fallback
---@param base_url? string
---@param messages table as they are sent
---@return curia.telemetry.Request
function M.begin(turn, model, base_url, messages)
  local request = setmetatable({
    turn = turn, model = model, host = base_url and base_url:match "^%a+://([^/]+)", began_us = clock.us(),
    over = false,
  }, Request)
  if on["provider.request.start"] then
    local metadata = metadata_of(request)
    metadata.messages = messages
    emit("provider.request.start", {}, metadata)
  end
  return request
end

--- It has ended.
---@param response? table
---@param err? curia.Error
---@param status? integer of HTTP
function Request:finish(response, err, status)
  self.over, self.status = true, status or err and err.status
  local duration_us = clock.us() - self.began_us
  if err and on["provider.request.exception"] then
    local metadata = metadata_of(self)
    metadata.error = err
    emit("provider.request.exception", { duration_us = duration_us }, metadata)
  end
  if not on["provider.request.stop"] then return end
  local usage, metadata = response and response.usage, metadata_of(self)
  metadata.response = response
  emit("provider.request.stop", runs.add_tokens({ duration_us = duration_us }, usage), metadata)
end

function Request:__close()
  if not self.over then self:finish(nil, errors.new("cancelled", "the attempt was cut short")) end
end

return M
