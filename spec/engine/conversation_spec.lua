local curia = require "curia"
local errors = require "curia.errors"
local helper = require "spec.helper"
local task = require "curia.task"
local T = require "spec.engine.support"

-- A model that answers with each of `answers` in turn; gives the requests that it saw.
local function model(answers)
  local seen = {}
  T.script(function(request)
    local copy = { messages = request.messages, tools = request.tools, tool_choice = request.tool_choice,
      parallel_tools = request.parallel_tools }
    seen[#seen + 1] = copy
    return answers[math.min(#seen, #answers)]
  end)
  return seen
end

local function call(name, arguments, id)
  return { name = name, arguments = arguments, id = id }
end

local function calling(...)
  return { tool_calls = { ... } }
end

local function tool(name, run, fields)
  local made = { run = run }
  for key, value in pairs(fields or {}) do made[key] = value end
  return curia.tool(name)(made)
end

local echo = tool("echo", function(args) return args.text end)

local function one(fields, opts)
  fields.tools = fields.tools or { echo }
  local result, err = T.ask({ ids = { "a" }, members = { a = fields } }, "Why?", opts)
  return result and result.rounds[1].results.a, result, err
end

-- The last messages of a request, as "role:content".
local function last(request, count)
  local list = request.messages
  local texts = {}
  for i = #list - count + 1, #list do texts[#texts + 1] = list[i].role .. ":" .. list[i].content end
  return texts
end

describe("the tool loop", function()
  it("gives the model what it called for, and takes the answer that needs no call", function()
    local seen = model { calling(call("echo", { text = "hello" })), "it said hello" }
    local member, result = one {}
    assert.same({ "ok", "it said hello" }, { member.status, member.response.content })
    assert.equal("ok", result.status)
    assert.equal("echo", seen[1].tools[1].name)
    assert.same({ "user:Why?", "assistant:", "tool:hello" }, last(seen[2], 3))
    assert.same({ "call_1", "echo" }, { seen[2].messages[3].tool_call_id, seen[2].messages[3].name })
    assert.equal("call_1", seen[2].messages[2].tool_calls[1].id)
  end)

  it("leaves members without tools alone, and refuses calls that they make", function()
    model { calling(call("echo", {})) }
    local result = T.ask { ids = { "a" } }
    assert.equal("unsupported", result.rounds[1].results.a.error.kind)
  end)

  it("sends what the vendor wants back unchanged", function()
    local parts, messages = { adapter = "spec", signature = "s" }, nil
    local asked = 0
    local adapter = { name = "spec", call = function(request)
      asked, messages = asked + 1, request.messages
      if asked > 1 then return { content = "done", finish_reason = "stop", usage = {} } end
      return { content = "I look", finish_reason = "tool_calls", usage = {}, provider_parts = parts,
        tool_calls = { { id = "x", name = "echo", arguments = { text = "t" }, raw = '{"text":"t"}' } } }
    end }
    curia.config { providers = { tool_spec = { adapter = adapter } } }
    assert.equal("ok", one({ provider = "tool_spec" }).status)
    assert.equal(parts, messages[2].provider_parts)
    assert.equal("I look", messages[2].content)
  end)

  it("encodes what is no text, and says where it was cut", function()
    local seen = model { calling(call("list", {}), call("long", {}), call("nothing", {})), "done" }
    one { tools = {
      tool("list", function() return { 1, { a = true } } end),
      tool("long", function() return ("ä"):rep(60000) end),
      tool("nothing", function() end),
    } }
    local list, long, nothing = table.unpack(seen[2].messages, 3)
    assert.equal('[1,{"a":true}]', list.content)
    assert.matches("ä\n%[cut: these are the first 102400 of 120000 bytes%]$", long.content)
    assert.equal("null", nothing.content)
  end)

  it("adds up what all requests used, and lists the calls", function()
    local usage = { input_tokens = 10, output_tokens = 2 }
    model { { tool_calls = { call("echo", { text = "x" }) }, usage = usage, cost = 0.25 },
      { content = "done", usage = usage, cost = 0.5 } }
    local member, result = one {}
    assert.same({ input_tokens = 20, output_tokens = 4 }, member.response.usage)
    assert.equal(0.75, member.response.cost.usd)
    assert.same(member.response.usage, result.usage)
    assert.equal(0.75, result.cost.usd)
    local made = member.metadata.tool_calls[1]
    assert.same({ "echo", 1, "ok", "x" }, { made.name, made.round, made.status, made.arguments.text })
    assert.equal(2, member.attempts)
  end)

  it("tells the calls as events", function()
    model { calling(call("echo", { text = "x" }, "c1"), call("ecko", {}, "c2")), "done" }
    local events = T.events(T.council { ids = { "a" }, members = { a = { tools = { echo } } } })
    local asked, told = T.of_type(events, "tool_call_request"), T.of_type(events, "tool_call_result")
    assert.equal(2, #asked)
    assert.same({ "a", "independent_analysis", 1 }, { asked[1].member, asked[1].round, asked[1].idx })
    assert.same({ id = "c1", name = "echo", arguments = { text = "x" } }, asked[1].call)
    local by_id = {}
    for _, event in ipairs(told) do by_id[event.call.id] = event end
    assert.equal("x", by_id.c1.result)
    assert.is_nil(by_id.c2.result)
    assert.equal("unknown_tool", by_id.c2.error.code)
  end)

  it("works while streaming", function()
    model { { content = "I look.", tool_calls = { call("echo", { text = "x" }) } }, "it said x" }
    local run = assert(curia.start(T.council { ids = { "a" }, members = { a = { stream = true, tools = { echo } } } }, "?"))
    local texts = {}
    for event in run:events() do
      if event.type == "member_token" then texts[event.attempt] = (texts[event.attempt] or "") .. event.text end
    end
    assert.same({ "I look.", "it said x" }, texts)
    assert.equal("it said x", run:result().rounds[1].results.a.response.content)
  end)

  it("tries each request as often as the policy allows", function()
    local asked = 0
    T.script(function()
      asked = asked + 1
      if asked == 1 then return calling(call("echo", { text = "x" })) end
      return asked == 2 and { error = 503 } or "done"
    end)
    helper.virtual(function()
      local member = one { retry = { attempts = 2, base_ms = 10 } }
      assert.same({ "ok", 3 }, { member.status, member.attempts })
    end)
  end)
end)

describe("a call that goes wrong", function()
  local function told(name, arguments, run, fields)
    local seen = model { calling(call(name, arguments)), "I see" }
    local member = one { tools = { tool("work", run or function() return "fine" end, fields) } }
    assert.equal("ok", member.status)
    assert.is_true(seen[2].messages[3].is_error)
    return seen[2].messages[3].content, member
  end

  it("goes back as an error: no such tool, with what was meant", function()
    assert.matches("unknown tool 'wokr'; did you mean 'work'", told("wokr", {}))
  end)

  it("goes back as an error: arguments that cannot be read", function()
    assert.matches("the arguments cannot be read", told("work", '{"cut": "he'))
  end)

  it("goes back as an error: the answer was cut off within the call", function()
    local seen = model { { tool_calls = { call("echo", '{"text": "he') }, finish_reason = "length" }, "I see" }
    assert.equal("ok", one({}).status)
    assert.matches("cannot be read", seen[2].messages[3].content)
  end)

  it("goes back as an error: arguments that do not fit the parameters", function()
    local ran = false
    local text = told("work", { n = "three", extra = true }, function() ran = true end, { parameters = {
      type = "object", properties = { n = { type = "integer" } }, required = { "n" }, additionalProperties = false,
    } })
    assert.matches("^Error: the arguments do not fit:\n", text)
    for _, name in ipairs { "n", "extra" } do assert.matches("%- .*" .. name, text) end
    assert.is_false(ran)
  end)

  it("goes back as an error: the tool raised, or gave nil and why", function()
    local text, member = told("work", {}, function() error("the disk is full") end)
    assert.matches("^Error: tool work: .*the disk is full$", text)
    assert.same({ "error" }, { member.metadata.tool_calls[1].status })
    assert.matches("no such row", told("work", {}, function() return nil, "no such row" end))
    assert.matches("no such key", told("work", {}, function()
      return nil, errors.new("permanent", "no such key")
    end))
  end)

  it("goes back as an error: what it gave is no JSON value", function()
    assert.matches("is no JSON value", told("work", {}, function() return print end))
  end)

  it("goes back as an error: it took too long, by its own limit before the member's", function()
    helper.virtual(function()
      local ms, text = T.timed(told, "work", {}, function() task.sleep(60000) end)
      assert.matches("no result in 30000 ms", text)
      assert.equal(30000, ms)
      ms = T.timed(told, "work", {}, function() task.sleep(60000) end, { timeout = "2s" })
      assert.equal(2000, ms)
      model { calling(call("slow", {})), "I see" }
      ms = T.timed(one, { tool_timeout = "5s", tools = { tool("slow", function() task.sleep(60000) end) } })
      assert.equal(5000, ms)
    end)
  end)

  it("ends the turn where tool_errors is fail_fast, and stops the others", function()
    local finished = false
    model { calling(call("bad", {}), call("slow", {})), "never" }
    helper.virtual(function()
      local member = one { tool_errors = "fail_fast", tools = {
        tool("bad", function() task.sleep(10); error("broken") end),
        tool("slow", function() task.sleep(1000); finished = true end),
      } }
      assert.same({ "error", "tool" }, { member.status, member.error.kind })
      assert.matches("broken", member.error.message)
      assert.equal("bad", member.error.context.tool)
      assert.is_false(finished)
    end)
  end)

  it("is the model's own mistake also where tool_errors is fail_fast", function()
    model { calling(call("ecko", {})), "I see" }
    assert.equal("ok", one({ tool_errors = "fail_fast" }).status)
  end)
end)

describe("the bounds of the loop", function()
  it("end it with kind tool_loop, and keep what was said", function()
    model { { content = "again", tool_calls = { call("echo", { text = "x" }) } } }
    local member, result = one {}
    assert.same({ "error", "tool_loop" }, { member.status, member.error.kind })
    assert.equal(8, #member.metadata.tool_calls)
    assert.equal("again", member.response.content)
    assert.equal(result.usage.output_tokens, member.response.usage.output_tokens)
    assert.equal(9, member.attempts)
    model { calling(call("echo", { text = "x" })) }
    assert.equal(0, #one({ max_tool_rounds = 0 }).metadata.tool_calls)
  end)

  local function at_once(count, fields)
    local calls, live, most = {}, 0, 0
    for i = 1, count do calls[i] = call("work", {}, "c" .. i) end
    model { calling(table.unpack(calls)), "done" }
    fields.tools = { tool("work", function()
      live = live + 1
      most = math.max(most, live)
      task.sleep(10)
      live = live - 1
      return "x"
    end) }
    helper.virtual(function() assert.equal("ok", one(fields).status) end)
    return most
  end

  it("let calls of one response run at the same time, eight at most unless said", function()
    assert.equal(3, at_once(3, {}))
    assert.equal(8, at_once(12, {}))
    assert.equal(2, at_once(5, { tool_concurrency = 2 }))
    assert.equal(12, at_once(12, { tool_concurrency = 20 }))
  end)

  it("keep the results in the order of the calls", function()
    local seen = model { calling(call("wait", { ms = 30 }), call("wait", { ms = 10 })), "done" }
    helper.virtual(function()
      one { tools = { tool("wait", function(args) task.sleep(args.ms); return tostring(args.ms) end) } }
    end)
    assert.same({ "tool:30", "tool:10" }, last(seen[2], 2))
  end)

  it("count within the member's deadline", function()
    model { calling(call("slow", {})), "done" }
    helper.virtual(function()
      local ms, member = T.timed(one, { deadline = "3s", tools = { tool("slow", function() task.sleep(20000) end) } })
      assert.same({ "timeout", 3000 }, { member.status, ms })
    end)
  end)

  it("end when the run is cancelled", function()
    local ended = "no"
    model { calling(call("slow", {})), "done" }
    local council = T.council { ids = { "a" }, members = { a = { tools = { tool("slow", function()
      local _ <close> = setmetatable({}, { __close = function() ended = "yes" end })
      task.sleep(20000)
    end) } } } }
    helper.virtual(function()
      local run = curia.start(council, "?")
      task.sleep(10)
      run:cancel()
      run:await()
      assert.same({ "yes", "cancelled" }, { ended, run:state().status })
    end)
  end)
end)

describe("a structured answer behind tools", function()
  local SCHEMA = { type = "object", properties = { city = { type = "string" } }, required = { "city" } }

  it("is asked for, read and mended within the same conversation", function()
    local usage = { input_tokens = 1, output_tokens = 1 }
    local seen = model { { tool_calls = { call("echo", { text = "Oslo" }) }, usage = usage },
      { content = "{}", usage = usage }, { tool_calls = { call("echo", { text = "again" }) }, usage = usage },
      { content = '{"city":"Oslo"}', usage = usage } }
    local member, result = one { schema = SCHEMA }
    assert.same({ "ok", "Oslo" }, { member.status, member.response.parsed.city })
    assert.same({ "user", "assistant", "tool", "assistant", "user", "assistant", "tool" }, (function()
      local roles = {}
      for i, message in ipairs(seen[4].messages) do roles[i] = message.role end
      return roles
    end)())
    assert.same({ 2, 4, 4 }, { #member.metadata.tool_calls, member.response.usage.input_tokens, result.usage.input_tokens })
    assert.equal("echo", seen[4].tools[1].name)
  end)
end)

describe("what a request offers", function()
  it("are the tools of the council and the member, each once, also to the chair", function()
    local seen = model { "yes" }
    local other = tool("other", function() end)
    local council = T.council { ids = { "a" }, tools = { echo }, chair = true,
      members = { a = { tools = { echo, other }, parallel_tools = false } } }
    curia.run(council, "?")
    assert.equal(2, #seen[1].tools)
    assert.same({ "echo", "other" }, { seen[1].tools[1].name, seen[1].tools[2].name })
    assert.is_false(seen[1].parallel_tools)
    assert.equal("echo", seen[2].tools[1].name)
  end)

  it("are registered tools under their names", function()
    curia.register("tool", "spec_search", { about = "finds", run = function() return "found" end })
    finally(function() curia.unregister("tool", "spec_search") end)
    local seen = model { calling(call("spec_search", {})), "done" }
    one { tools = { "spec_search" } }
    assert.same({ "spec_search", "finds" }, { seen[1].tools[1].name, seen[1].tools[1].about })
    assert.same({ "tool:found" }, last(seen[2], 1))
  end)

  it("forces a call once only", function()
    for _, choice in ipairs { "required", "echo" } do
      local seen = model { calling(call("echo", { text = "x" })), "done" }
      one { tool_choice = choice }
      assert.same({ choice, "auto" }, { seen[1].tool_choice, seen[2].tool_choice })
    end
  end)

  it("is no call where tool_choice is none", function()
    local seen = model { calling(call("echo", { text = "x" })) }
    assert.equal("unsupported", one({ tool_choice = "none" }).error.kind)
    assert.equal("none", seen[1].tool_choice)
  end)
end)
