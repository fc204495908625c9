local script = require "curia.script"
local task = require "curia.task"

local function request(fields)
  local made = { messages = { { role = "user", content = "Ship on Friday?" } }, model = "m" }
  for name, value in pairs(fields or {}) do made[name] = value end
  return made
end

local function answers(value, ...)
  local made = assert(script.new(value))
  local list = {}
  for i = 1, select("#", ...) do list[i] = assert(made:answer(select(i, ...))) end
  return list
end

local function content(value, fields)
  return answers(value, request(fields))[1].content
end

local function message_of(value)
  local made, err = script.new(value)
  assert.is_nil(made)
  assert.equal("validation", err.kind)
  return err.message
end

describe("curia.script", function()
  describe("takes", function()
    it("a text, an answer, a function, a table", function()
      assert.equal("hello", content "hello")
      assert.equal("hello", content { content = "hello" })
      assert.equal("hello m", content(function(r) return "hello " .. r.model end))
      assert.equal("hello", content { default = "hello" })
    end)

    it("a list, one answer after the other, the last again", function()
      local r = request()
      local list = answers({ "one", { content = "two" }, function() return "three" end }, r, r, r, r)
      assert.same({ "one", "two", "three", "three" },
        { list[1].content, list[2].content, list[3].content, list[4].content })
    end)

    it("a table as content, which is sent as JSON", function()
      assert.equal('{"choice":"A","rank":[1,2]}', content { content = { choice = "A", rank = { 1, 2 } } })
    end)

    it("a script made before", function()
      local made = script.new "x"
      assert.equal(made, (script.new(made)))
    end)
  end)

  describe("rules", function()
    local rules = {
      default = "nobody",
      rules = {
        { match = { member = "skeptic", round = "critique" }, answer = "a critique" },
        { match = { contains = "second", n = 2 }, answer = "the second second" },
        { match = { model = "big" }, answer = { "big one", "big two" } },
        { match = { system = "pirate" }, answer = "arr" },
        { match = { path = "/v1/messages" }, answer = "anthropic" },
        { match = function(r) return r.temperature == 0 end, answer = "cold" },
      },
    }

    it("match member, round, model, system prompt and path", function()
      assert.equal("a critique", content(rules, { member = "skeptic", round = "critique" }))
      assert.equal("nobody", content(rules, { member = "skeptic", round = "other" }))
      assert.equal("big one", content(rules, { model = "big" }))
      assert.equal("anthropic", content(rules, { path = "/v1/messages" }))
      assert.equal("cold", content(rules, { temperature = 0 }))
      assert.equal("arr", content(rules, { messages = {
        { role = "system", content = { { type = "text", text = "You are a pirate." } } },
        { role = "user", content = "Hi" },
      } }))
    end)

    it("look at the last message, and count what matched", function()
      local r = request { messages = { { role = "user", content = "the second" } } }
      local first = request { messages = { { role = "user", content = "second" }, { role = "user", content = "x" } } }
      local list = answers(rules, r, first, r, r)
      assert.same({ "nobody", "nobody", "the second second", "nobody" },
        { list[1].content, list[2].content, list[3].content, list[4].content })
    end)

    it("fall back to the built-in answers", function()
      assert.matches("^%[offline%]", content { rules = { { match = { model = "x" }, answer = "y" } } })
    end)

    it("name the models that they ask for", function()
      assert.same({ "big" }, script.new(rules).models)
    end)
  end)

  describe("an answer", function()
    it("is settled whole", function()
      local answer = answers({ tool_calls = { { name = "search", arguments = { q = "x" } }, { name = "now" } },
        reasoning = "let me think", content = "two words" }, request())[1]
      assert.same({ id = "call_1", name = "search", arguments = { q = "x" }, raw = '{"q":"x"}' }, answer.tool_calls[1])
      assert.equal("{}", answer.tool_calls[2].raw)
      assert.equal("tool_calls", answer.finish_reason)
      assert.equal("m", answer.model)
      assert.same({ input_tokens = 3, output_tokens = 9, reasoning_tokens = 3 }, answer.usage)
      assert.is_nil(answer.cost)
    end)

    it("may have usage of its own, or none", function()
      local answer = answers({ content = "x", usage = { output_tokens = 99 } }, request())[1]
      assert.same({ input_tokens = 3, output_tokens = 99 }, answer.usage)
      assert.is_nil(answers({ content = "x", usage = false }, request())[1].usage)
    end)

    it("is cut into words, into n parts, or as it says, never inside a character", function()
      assert.same({ "a", " bc", "  d\n" }, answers("a bc  d\n", request())[1].pieces)
      local text = "äöü€𝄞 abc"
      for count = 1, 30 do
        local pieces = answers({ content = text, pieces = count }, request())[1].pieces
        assert.equal(text, table.concat(pieces))
        for _, piece in ipairs(pieces) do assert.truthy(utf8.len(piece)) end
      end
      local answer = answers({ stream = { "a", "b" } }, request())[1]
      assert.same({ "a", "b" }, answer.pieces)
      assert.equal("ab", answer.content)
      assert.same({}, answers("", request())[1].pieces)
    end)

    it("with an error has a status and a message", function()
      local answer = answers({ error = 429 }, request())[1]
      assert.same({ status = 429, message = "Rate limit reached, try again later." }, answer.error)
      assert.equal(503, answers({ fault = "error_in_200" }, request())[1].error.status)
      assert.equal(500, answers({ error = { message = "no" } }, request())[1].error.status)
    end)
  end)

  describe("refuses", function()
    it("unknown names, with the nearest known one", function()
      assert.matches("unknown field 'defualt'; did you mean 'default'", message_of { defualt = "x" })
      assert.matches("unknown field 'contnt'; did you mean 'content'", message_of { contnt = "x" })
      assert.matches("rules%[1%]%.match%.modle: .*did you mean 'model'",
        message_of { rules = { { match = { modle = "x" }, answer = "y" } } })
      assert.matches("not 'hung'; did you mean 'hang'", message_of { fault = "hung" })
    end)

    it("wrong types, missing parts and contradictions", function()
      assert.matches("must be .* not a number", message_of(5))
      assert.matches("has no answer", message_of { rules = { { match = {} } } })
      assert.matches("content or stream, not both", message_of { { content = "x", stream = { "x" } } })
      assert.matches("default%[1%]%.pieces", message_of { default = { { stream = { "x" }, pieces = 2 } } })
      assert.matches("tool_calls", message_of { tool_calls = { { arguments = {} } } })
      assert.matches("between 400 and 599", message_of { error = 200 })
    end)

    it("every fault at once", function()
      local _, err = script.new { rules = { { match = { modle = "x" }, answr = "y" } } }
      assert.equal(3, #err.context.faults)
    end)

    it("what a function returns or raises, as an error value", function()
      local _, err = script.new(function() return 5 end):answer(request())
      assert.equal("script", err.kind)
      _, err = script.new(function() return { contnt = "x" } end):answer(request())
      assert.matches("did you mean 'content'", err.message)
      _, err = script.new(function() error "boo" end):answer(request())
      assert.equal("script", err.kind)
      assert.matches("script_spec.lua:%d+: boo", err.message)
      assert.truthy(err.traceback)
    end)
  end)

  it("lets a function wait, and passes a cancellation on", function()
    local made = script.new(function() task.sleep(1) return "late" end)
    local ok, answer = task.run(function() return made:answer(request()) end)
    assert.is_true(ok)
    assert.equal("late", answer.content)
    local reached = false
    local waiting = task.spawn(function()
      script.new(function() task.sleep(10000) return "never" end):answer(request())
      reached = true
    end)
    task.sleep(0)
    waiting:cancel()
    assert.is_false((waiting:await()))
    assert.is_false(reached)
  end)

  describe("load", function()
    local path = os.tmpname()
    local function file(text)
      local handle = assert(io.open(path, "w"))
      handle:write(text)
      handle:close()
      return script.load(path)
    end
    teardown(function() os.remove(path) end)

    it("runs a file", function()
      assert.equal("hi", file "return 'hi'":answer(request()).content)
    end)

    it("names file and line of what is wrong", function()
      for text, pattern in pairs {
        ["return {"] = ":1:", ["error 'boo'"] = ":1: boo", [""] = "returns nothing",
        ["return { defualt = 1 }"] = "did you mean 'default'",
      } do
        local made, err = file(text)
        assert.is_nil(made)
        assert.matches(pattern, err.message)
        assert.matches(path, err.message, 1, true)
      end
      assert.matches("no/such/file", select(2, script.load "no/such/file.lua").message, 1, true)
    end)
  end)

  describe("without a script", function()
    it("is marked, short, the same each time, and depends on member and question", function()
      local one = content(nil, { member = "skeptic" })
      assert.matches('^%[offline%] skeptic on "Ship on Friday%?": ', one)
      assert.equal(one, content(nil, { member = "skeptic" }))
      local seen = {}
      for _, member in ipairs { "a", "b", "c", "d", "e", "f", "g", "h" } do
        seen[content(nil, { member = member }):match(": (.*)")] = true
      end
      assert.is_true(next(seen, next(seen)) ~= nil)
      assert.is_true(#content(nil, { messages = { { role = "user", content = ("äx"):rep(500) } } }) < 400)
      assert.truthy(utf8.len(content(nil, { messages = { { role = "user", content = ("äx"):rep(500) } } })))
    end)

    it("orders the labels of an anonymized review", function()
      local text = content(nil, { member = "skeptic", round = "anonymized_peer_review", messages = {
        { role = "user", content = "Response A\n...\nResponse C\n...\nReturn JSON with ordering. Response A first?" },
      } })
      local ballot = require "curia.json".decode(text)
      table.sort(ballot.ordering)
      assert.same({ "Response A", "Response C" }, { table.unpack(ballot.ordering) })
      assert.matches("^%[offline%]", ballot.rationale)
    end)

    it("votes and scores as it is asked to", function()
      local prompts = require "curia.prompts"
      local entries = { { label = "Response A", text = "one" }, { label = "Response B", text = "two" } }
      local function said(prompt)
        return require "curia.json".decode(content(nil, { messages = { { role = "user", content = prompt } } }))
      end
      assert.matches("^Response [AB]$", said(prompts.vote("Why?", entries)).choice)
      assert.equal("ship", said(prompts.vote_on_options("Why?", { "ship", "hold" })).choice)
      assert.equal("x", said(prompts.tie_break("Why?", { { label = "x" }, { label = "y" } })).choice)
      local scores = said(prompts.scoring("Why?", entries, { { name = "truth", low = 0, high = 5 } })).scores
      local one, two = scores["Response A"].truth, scores["Response B"].truth
      assert.is_true(math.max(one, two) == 5 and math.min(one, two) >= 0 and one ~= two)
    end)

    it("stays with the answer that it finds better, wherever that stands", function()
      local prompts, json = require "curia.prompts", require "curia.json"
      local function better(first, second)
        local prompt = prompts.pairwise_elimination("Why?", first, second)
        local text = content(nil, { member = "chair", round = "pairwise_elimination", messages = { { role = "user", content = prompt } } })
        return json.decode(text).winner == "Response A" and first or second
      end
      assert.equal(better("one", "two"), better("two", "one"))
    end)

    it("satisfies a schema", function()
      local schema = {
        type = "object", required = { "choice", "confidence", "why", "ordering", "nested" },
        properties = {
          choice = { enum = { "B", "A" } }, confidence = { type = "number", minimum = 0, maximum = 1 },
          why = { type = "string", maxLength = 12 }, ordering = { type = "array", items = { type = "string" } },
          nested = { ["$ref"] = "#/$defs/n" }, optional = { type = "string" },
        },
        ["$defs"] = { n = { type = "object", properties = { ok = { type = "boolean" } }, required = { "ok" } } },
      }
      local value = require "curia.json".decode(content(nil, { schema = schema, messages = {
        { role = "user", content = "Response B, Response A" } } }))
      assert.equal("B", value.choice)
      assert.equal(0.5, value.confidence)
      assert.equal("[offline] m ", value.why)
      assert.equal(2, #value.ordering)
      assert.is_true(value.nested.ok)
      assert.is_nil(value.optional)
    end)

    it("ends on schemas that refer to themselves", function()
      local schema = { type = "object", required = { "next" }, properties = { next = { ["$ref"] = "#" } } }
      assert.truthy(content(nil, { schema = schema }))
    end)
  end)
end)
