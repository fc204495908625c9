--- Tells what happens in workflows: on topics `workflow:<id>` and `workflows`, and as telemetry.
local namespaces = require "curia.engine.namespace"
local telemetry = require "curia.telemetry"

local M = {}

local function emit(name, measurements, event)
  if telemetry.on[name] then telemetry.emit(name, measurements, event) end
end

local function lasted(event, since)
  return { duration_us = since and math.max(0, event.at - since) * 1000 or 0 }
end

local TELL = {}

function TELL.workflow_started(event)
  emit("workflow.start", {}, event)
end

function TELL.step_started(event)
  emit("workflow.step.start", {}, event)
end

function TELL.step_done(event, since)
  emit("workflow.step.stop", lasted(event, since), event)
end

function TELL.step_failed(event, since)
  emit("workflow.step.exception", lasted(event, since), event)
  emit("workflow.step.stop", lasted(event, since), event)
end

function TELL.workflow_completed(event, since)
  emit("workflow.stop", lasted(event, since), event)
end

function TELL.workflow_failed(event, since)
  emit("workflow.exception", lasted(event, since), event)
  emit("workflow.stop", lasted(event, since), event)
end

--- Tells an event of a workflow, once it is stored.
---@param instance table its row
---@param event table with `type`, `at`
---@param since? integer when what ends with it has begun
function M.tell(instance, event, since)
  event.v, event.workflow_id, event.workflow = 1, instance.id, instance.name
  event.namespace, event.subject = instance.namespace, instance.subject
  local bus = namespaces.of(instance.namespace).bus
  if bus.wanted then
    bus:publish("workflow:" .. instance.id, event)
    bus:publish("workflows", event)
  end
  if telemetry.any then TELL[event.type](event, since) end
end

--- A start was refused because the subject has a workflow in flight.
function M.duplicate(instance, other_id)
  emit("workflow.duplicate", {}, { workflow = instance.name, namespace = instance.namespace,
    subject = instance.subject, workflow_id = other_id })
end

--- Workflows were put right.
---@param counts {replayed: integer, started: integer, skipped: integer}
---@param duration_us number
function M.reconciled(counts, duration_us)
  emit("workflow.reconcile", { duration_us = duration_us, replayed = counts.replayed, started = counts.started,
    skipped = counts.skipped }, {})
end

return M
