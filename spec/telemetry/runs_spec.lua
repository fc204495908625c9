local curia = require "curia"
local helper = require "spec.helper"
local library = require "curia.cli.library"
local names = require "curia.telemetry.names"
local support = require "spec.telemetry.support"
local T = require "spec.engine.support"
local task = require "curia.task"

local heard

after_each(function()
  if heard then heard:stop() end
  heard = nil
end)

describe("telemetry of runs", function()
  it("tells of a run, its rounds, its members and their attempts, in order", function()
    T.answers { a = { content = "A", usage = { input_tokens = 7, output_tokens = 3 } } }
    heard = support.listen()
    local result = T.ask({ ids = { "a" } }, "Why?", { run_id = "told" })
    local order = {}
    for i, event in ipairs(heard) do order[i] = event.name end
    assert.same({
      "run.start", "round.start", "member.start", "provider.request.start", "provider.request.stop", "member.stop",
      "round.stop", "run.stop",
    }, order)
    local member = heard:of("member.stop")[1]
    assert.same({ 7, 3 }, { member.measurements.input_tokens, member.measurements.output_tokens })
    assert.equal(result.rounds[1].results.a.duration_ms * 1000 // 1, member.measurements.duration_us)
    assert.same({ "told", "spec", "a", "independent_analysis", 1, "m", "test", "ok", 1 }, {
      member.metadata.run_id, member.metadata.council, member.metadata.member_id, member.metadata.round,
      member.metadata.round_idx, member.metadata.model, member.metadata.provider, member.metadata.status,
      member.metadata.attempts,
    })
    local run = heard:of("run.stop")[1]
    assert.same({ "completed", 7 }, { run.metadata.status, run.metadata.usage.input_tokens })
    assert.same({}, run.metadata.errors)
  end)

  it("names nothing that its list does not", function()
    T.answers { a = { tool_calls = { { name = "nothing", arguments = {} } } } }
    heard = support.listen()
    T.ask({ ids = { "a", "b" } })
    for _, event in ipairs(heard) do
      local about = names.all[event.name]
      for key in pairs(event.measurements) do assert.truthy(table.concat(about.measurements, " "):find(key, 1, true), key) end
      for key in pairs(event.metadata) do assert.truthy(table.concat(about.metadata, " "):find(key, 1, true), key) end
    end
  end)

  it("tells what failed before that it has stopped", function()
    helper.virtual(function()
      T.answers { a = { error = { status = 400, message = "bad request" } }, b = "B" }
      heard = support.listen()
      T.ask({ ids = { "a", "b" } })
      assert.equal(1, #heard:of "member.exception")
      assert.equal("a", heard:of("member.exception")[1].metadata.member_id)
      assert.equal("permanent", heard:of("member.exception")[1].metadata.error.kind)
      assert.equal(2, #heard:of "member.stop")
      assert.equal(1, #heard:of "provider.request.exception")
      assert.equal(400, heard:of("provider.request.exception")[1].metadata.status)
      assert.equal(0, #heard:of "run.exception")
    end)
  end)

  it("ends what was cut short, and runs that are cancelled or terminated", function()
    helper.virtual(function()
      T.script { content = "slow", delay_ms = 10000 }
      heard = support.listen()
      T.ask({ ids = { "a" } }, "Why?", { deadline_ms = 100 })
      assert.equal("cancelled", heard:of("provider.request.exception")[1].metadata.error.kind)
      assert.equal("failed", heard:of("run.stop")[1].metadata.status)
      local run = curia.start(T.council { ids = { "a" } }, "Why?")
      task.sleep(10)
      run:terminate()
      assert.equal("terminated", heard:of("run.stop")[2].metadata.status)
      task.sleep(10)
      for _, level in ipairs { "run", "member", "provider.request" } do
        assert.equal(#heard:of(level .. ".start"), #heard:of(level .. ".stop") + (level == "member" and 1 or 0), level)
      end
    end)
  end)

  it("tells of tools", function()
    local council = curia.council "tools" {
      tools = {
        curia.tool "double" { run = function(args) return args.n * 2 end },
        curia.tool "fail" { run = function() return nil, "broken" end },
      },
      run = function(ctx)
        ctx:tool("double", { n = 2 })
        ctx:tool("fail", {})
        return "done"
      end,
    }
    heard = support.listen { "tool.execute.start", "tool.execute.stop", "tool.execute.exception" }
    curia.run(council, "Why?")
    assert.same({ 2, 2, 1 }, { #heard:of "tool.execute.start", #heard:of "tool.execute.stop", #heard:of "tool.execute.exception" })
    assert.equal("double", heard:of("tool.execute.start")[1].metadata.tool)
  end)

  it("stops what each council that comes with Curia starts, and tells each result once", function()
    for _, entry in ipairs(library.list()) do
      heard = support.listen()
      local completed = 0
      local run = assert(curia.start(library.load(entry.name), "Ship?", { offline = true, subscribe = function(event)
        if event.type == "member_completed" then completed = completed + 1 end
      end }))
      run:await()
      assert.is_true(helper.settle(function() return completed > 0 end))
      task.sleep(0)
      for _, level in ipairs { "run", "round", "provider.request", "tool.execute" } do
        assert.equal(#heard:of(level .. ".start"), #heard:of(level .. ".stop"), entry.name .. " " .. level)
      end
      local own = 0
      for _, event in ipairs(heard:of "member.stop") do
        if event.metadata.run_id == run.id then own = own + 1 end
      end
      assert.equal(completed, own, entry.name)
      heard:stop()
    end
  end)
end)
