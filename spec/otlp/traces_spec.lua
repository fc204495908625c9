local curia = require "curia"
local helper = require "spec.helper"
local json = require "curia.json"
local library = require "curia.cli.library"
local support = require "spec.otlp.support"
local T = require "spec.engine.support"
local task = require "curia.task"
local telemetry = require "curia.telemetry"

local CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

local function named(spans, name)
  for _, span in ipairs(spans) do
    if span.name == name then return span end
  end
end

describe("traces", function()
  it("have a run, its rounds, its members and their requests below each other", function()
    T.answers { a = "A" }
    local spans = support.watch(function() T.ask({ ids = { "a" } }, "Why?", { run_id = "traced" }) end)
    assert.same({
      "invoke_workflow spec", "invoke_workflow spec > round independent_analysis",
      "invoke_workflow spec > round independent_analysis > invoke_agent a",
      "invoke_workflow spec > round independent_analysis > invoke_agent a > chat m",
    }, support.paths(spans))
    for _, span in ipairs(spans) do
      assert.equal(spans[1].trace, span.trace)
      assert.equal("traced", span.attributes["curia.run.id"])
      assert.is_nil(span.error)
      if span.parent then
        assert.is_true(span.parent.began_ns <= span.began_ns and span.ended_ns <= span.parent.ended_ns)
      end
    end
    assert.is_nil(named(spans, "invoke_workflow spec").parent_id)
  end)

  it("carry the names of the conventions", function()
    T.answers { a = { content = "A", usage = { input_tokens = 7, output_tokens = 3 }, model = "m-2" } }
    local spans = support.watch(function() T.ask { ids = { "a" } } end)
    local request = named(spans, "chat m").attributes
    assert.same({ "chat", "test", "m", "m-2", 7, 3, { "stop" } }, {
      request["gen_ai.operation.name"], request["gen_ai.provider.name"], request["gen_ai.request.model"],
      request["gen_ai.response.model"], request["gen_ai.usage.input_tokens"], request["gen_ai.usage.output_tokens"],
      request["gen_ai.response.finish_reasons"],
    })
    local member = named(spans, "invoke_agent a").attributes
    assert.same({ "invoke_agent", "a", "ok", 7 }, {
      member["gen_ai.operation.name"], member["gen_ai.agent.name"], member["curia.member.status"],
      member["gen_ai.usage.input_tokens"],
    })
    assert.equal("spec", named(spans, "invoke_workflow spec").attributes["gen_ai.workflow.name"])
  end)

  it("go on with the caller's, and stay silent where that is not recorded", function()
    T.answers { a = "A" }
    local spans = support.watch(function() T.ask({ ids = { "a" } }, "Why?", { traceparent = CALLER }) end)
    local run = named(spans, "invoke_workflow spec")
    assert.equal("0af7651916cd43dd8448eb211c80319c", run.trace.id)
    assert.equal("b7ad6b7169203331", run.parent_id)
    assert.same({}, (support.watch(function()
      T.ask({ ids = { "a" } }, "Why?", { traceparent = CALLER:gsub("01$", "00") })
    end)))
  end)

  it("hold the runs inside of a run, below the member whose answer each is", function()
    T.answers { a = "A", x = "X" }
    local inner = T.council { name = "inner", ids = { "x" } }
    local spans = support.watch(function()
      T.ask { ids = { "a", "b" }, members = { b = { council = inner } } }
    end)
    local innermost = "invoke_workflow spec > round independent_analysis > invoke_agent b > invoke_workflow inner"
      .. " > round independent_analysis > invoke_agent x > chat m"
    local found = support.paths(spans)
    assert.equal(innermost, found[#found])
    for _, span in ipairs(spans) do assert.equal(spans[1].trace.id, span.trace.id) end
  end)

  it("hold each attempt, and what went wrong with it", function()
    helper.virtual(function()
      T.answers { a = { { error = { status = 500, message = "broken" } }, "A" } }
      local spans = support.watch(function() T.ask { ids = { "a" } } end)
      local attempts = {}
      for _, span in ipairs(spans) do
        if span.name == "chat m" then attempts[#attempts + 1] = span end
      end
      assert.equal(2, #attempts)
      assert.same({ "transient", 500 },
        { attempts[1].attributes["error.type"], attempts[1].attributes["http.response.status_code"] })
      assert.equal("transient", attempts[1].error.kind)
      assert.is_nil(attempts[2].error)
      assert.is_nil(named(spans, "invoke_agent a").error)
      assert.equal(2, named(spans, "invoke_agent a").attributes["curia.member.attempts"])
    end)
  end)

  it("hold tools below the member that calls them, or below the run", function()
    T.answers { a = { { tool_calls = { { name = "double", arguments = { n = 2 } } } }, "4" } }
    local double = curia.tool "double" { run = function(args) return (args.n or 0) * 2 end }
    local spans = support.watch(function() T.ask { ids = { "a" }, members = { a = { tools = { double } } } } end)
    local tool = named(spans, "execute_tool double")
    assert.equal("invoke_agent a", tool.parent.name)
    assert.equal("double", tool.attributes["gen_ai.tool.name"])
    spans = support.watch(function()
      curia.run(curia.council "script" { tools = { double }, run = function(ctx)
        ctx:tool("double", { n = 2 })
        return "done"
      end }, "Why?")
    end)
    assert.equal("invoke_workflow script > execute_tool double", support.path(named(spans, "execute_tool double")))
  end)

  it("end what a terminated run leaves open", function()
    helper.virtual(function()
      T.script { content = "slow", delay_ms = 10000 }
      local spans = support.watch(function()
        local run = curia.start(T.council { ids = { "a" } }, "Why?")
        task.sleep(10)
        run:terminate()
        task.sleep(10)
      end)
      assert.equal(4, #spans)
      assert.equal("cancelled", named(spans, "invoke_agent a").attributes["error.type"])
      assert.equal("terminated", named(spans, "invoke_workflow spec").attributes["curia.run.status"])
    end)
  end)

  it("hold each iteration of a round below that round", function()
    T.answers { a = "A" }
    local spans = support.watch(function()
      T.ask { ids = { "a" }, rounds = { { type = "iterate", round = "independent_analysis", max_iterations = 2 } } }
    end)
    local turns, iterations = 0, {}
    for _, span in ipairs(spans) do
      local path = support.path(span)
      if path == "invoke_workflow spec > round iterate > round independent_analysis > invoke_agent a" then
        turns = turns + 1
        iterations[turns] = span.parent.attributes["curia.round.iteration"]
      end
    end
    assert.same({ 1, 2 }, iterations)
  end)

  it("tell runs of different namespaces apart that have the same id", function()
    T.answers { a = "A" }
    local spans = support.watch(function()
      local one = curia.start(T.council { ids = { "a" } }, "1", { run_id = "same", namespace = "one" })
      local two = curia.start(T.council { ids = { "a" } }, "2", { run_id = "same", namespace = "two" })
      one:await()
      two:await()
    end)
    assert.equal(8, #spans)
    for _, span in ipairs(spans) do
      if span.parent then
        assert.equal(span.parent.attributes["curia.namespace"], span.attributes["curia.namespace"])
      end
    end
  end)

  it("leave out runs that began before", function()
    T.script { content = "slow", delay_ms = 20 }
    local run = curia.start(T.council { ids = { "a" } }, "Why?")
    task.sleep(5)
    assert.same({}, (support.watch(function() run:await() end)))
  end)

  it("have no texts unless that is wanted", function()
    T.answers { a = "a secret answer" }
    local function texts(content)
      local found = ""
      for _, span in ipairs((support.watch(function() T.ask({ ids = { "a" } }, "a secret question") end, content))) do
        for _, value in pairs(span.attributes) do found = found .. tostring(value) end
      end
      return found
    end
    assert.is_nil(texts(false):find("secret", 1, true))
    assert.matches("a secret question", texts(true))
    assert.matches("a secret answer", texts(true))
  end)

  it("are whole for each council that comes with Curia", function()
    for _, entry in ipairs(library.list()) do
      local begun = 0
      local handle <close> = telemetry.attach(
        { "run.start", "round.start", "member.start", "provider.request.start", "tool.execute.start" },
        function() begun = begun + 1 end)
      local spans = support.watch(function()
        curia.run(library.load(entry.name), "Ship?", { offline = true })
        task.sleep(0)
      end)
      assert.equal(begun, #spans, entry.name)
      local tops = 0
      for _, span in ipairs(spans) do
        if not span.parent then tops = tops + 1 end
        if span.name:find "^chat" then assert.matches("^invoke_agent", span.parent.name, entry.name) end
      end
      assert.equal(1, tops, entry.name .. json.encode(support.paths(spans)))
      handle:detach()
    end
  end)
end)
