local curia = require "curia"
local helper = require "spec.helper"
local task = require "curia.task"
local T = require "spec.engine.support"

-- Runs `fn(ctx)` as the free script of a council with the tools.
local function script(tools, fn, opts)
  local given
  local council = T.council { ids = { "a" }, tools = tools, run = function(ctx)
    given = table.pack(fn(ctx))
    return "done"
  end }
  local events, run = T.events(council, "Why?", opts)
  return given, events, run
end

local double = curia.tool "double" { run = function(args) return { twice = 2 * args.n } end }

describe("ctx:tool", function()
  before_each(function() T.script "yes" end)

  it("calls a tool of the council and gives its value as it is", function()
    local given, events = script({ double }, function(ctx) return ctx:tool("double", { n = 21 }) end)
    assert.same({ twice = 42 }, given[1])
    local asked, told = T.of_type(events, "tool_call_request")[1], T.of_type(events, "tool_call_result")[1]
    assert.same({ "double", 21 }, { asked.call.name, asked.call.arguments.n })
    assert.equal('{"twice":42}', told.result)
    assert.equal(asked.call.id, told.call.id)
  end)

  it("calls registered tools too, and gives tools the ctx", function()
    curia.register("tool", "spec_ask", { run = function(args, ctx) return ctx:ask("a", args.q).response.content end })
    finally(function() curia.unregister("tool", "spec_ask") end)
    local given = script(nil, function(ctx) return ctx:tool("spec_ask", { q = "?" }) end)
    assert.equal("yes", given[1])
  end)

  it("gives what went wrong as an error value", function()
    local given = script({ double }, function(ctx) return ctx:tool("double", {}) end)
    assert.is_nil(given[1])
    assert.same({ "script", true }, { given[2].kind, given[2].traceback ~= nil })
    helper.virtual(function()
      local slow = curia.tool "slow" { timeout = "1s", run = function() task.sleep(5000) end }
      assert.equal("timeout", script({ slow }, function(ctx) return ctx:tool "slow" end)[2].kind)
    end)
  end)

  it("raises for a name that is not known and for arguments that are no table", function()
    local _, _, run = script({ double }, function(ctx) return ctx:tool("duoble", {}) end)
    local _, err = run:result()
    assert.matches("unknown tool 'duoble'; did you mean 'double'", err.message)
    _, _, run = script({ double }, function(ctx) return ctx:tool("double", 1) end)
    assert.matches("bad argument #2 to 'tool'", select(2, run:result()).message)
  end)

  it("stands in the round that it is called in", function()
    local seen = curia.tool "seen" { run = function(_, ctx) return ctx.round.name end }
    local round = { name = "mine", run = function(ctx) return { winner = ctx:tool "seen" } end }
    local council = T.council { tools = { seen }, rounds = { { type = round } } }
    local events, run = T.events(council)
    assert.same({ "mine", 1 }, { T.of_type(events, "tool_call_request")[1].round, run:result().rounds[1].idx })
    assert.equal("mine", run:result().rounds[1].decision.winner)
  end)

  it("waits for approval where the tool needs it", function()
    local careful = curia.tool "careful" { approval = true, run = function() return "did it" end }
    local council = T.council { ids = { "a" }, tools = { careful }, run = function(ctx) return ctx:tool "careful" end }
    local run = assert(curia.start(council, "?"))
    for event in run:events() do
      if event.type == "run_blocked" then run:approve(event.call.id, true) end
    end
    assert.equal("did it", run:result().final.content)
  end)
end)

describe("what a model is told of a failure", function()
  it("holds no secret", function()
    require("curia.redact").add("sk-spec-tool-secret-value")
    local seen
    T.script(function(request)
      local told = request.messages[#request.messages]
      if told.role == "tool" then
        seen = told.content
        return "done"
      end
      return { tool_calls = { { name = "leak", arguments = {} } } }
    end)
    T.ask { ids = { "a" }, tools = { curia.tool "leak" { run = function()
      return nil, "refused with key sk-spec-tool-secret-value"
    end } } }
    assert.matches("^Error: tool leak: refused", seen)
    assert.is_nil(seen:find("sk-spec-tool-secret-value", 1, true))
  end)
end)
