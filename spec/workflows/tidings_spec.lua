local curia = require "curia"
local helper = require "spec.helper"
local tidings = require "curia.workflows.tidings"

local INSTANCE = { id = "1", name = "w", namespace = "default", subject = "s" }

local function heard(event, since)
  local told = {}
  local handle <close> = curia.telemetry.attach("*", function(name, measurements, metadata)
    assert.equal("1", metadata.workflow_id)
    told[#told + 1] = { name, measurements.duration_us }
  end)
  tidings.tell(INSTANCE, event, since)
  assert.is_not_nil(handle)
  return told
end

describe("what happens in a workflow", function()
  it("is told as telemetry: an exception comes right before its stop", function()
    assert.same({ { "workflow.start" } }, heard { type = "workflow_started", at = 5 })
    assert.same({ { "workflow.step.stop", 4000 } }, heard({ type = "step_done", step = "a", at = 5 }, 1))
    assert.same({ { "workflow.step.exception", 0 }, { "workflow.step.stop", 0 } }, heard { type = "step_failed", at = 5 })
    assert.same({ { "workflow.exception", 5000 }, { "workflow.stop", 5000 } }, heard({ type = "workflow_failed", at = 5 }, 0))
  end)

  it("is told on the topics of its workflow and of all", function()
    helper.run(function()
      local one, all, other = curia.subscribe { topic = "workflow:1" }, curia.subscribe { topic = "workflows" },
        curia.subscribe { topic = "workflow:2" }
      tidings.tell(INSTANCE, { type = "step_done", step = "a", at = 5 })
      other:stop()
      for _, watcher in ipairs { one, all } do
        local event = watcher:next()
        assert.same({ 1, "1", "w", "s", "a" }, { event.v, event.workflow_id, event.workflow, event.subject, event.step })
        watcher:stop()
      end
      assert.is_nil(other:next())
    end)
  end)

  it("cannot be told by runs", function()
    for _, name in ipairs { "workflow:1", "workflows" } do
      assert.matches("is a topic of Curia's own", require "curia.engine.topics".fault { name }.message)
    end
  end)
end)
