local json = require "curia.json"
local ollama = require "curia.adapters.ollama"
local reading = require "spec.adapters.reading"

local function build(request, config)
  request.model = request.model or "llama3.2"
  request.messages = request.messages or { { role = "user", content = "Hi" } }
  return ollama.build(request, config or {})
end

local function lines(...)
  local texts = {}
  for i, value in ipairs { ... } do texts[i] = assert(json.encode(value)) end
  return table.concat(texts, "\n") .. "\n"
end

local function said(message, more)
  local value = { model = "m", message = message, done = false }
  for key, field in pairs(more or {}) do value[key] = field end
  return value
end

describe("ollama.build", function()
  it("finds its URL as OLLAMA_HOST writes it", function()
    assert.equal("http://127.0.0.1:11434/api/chat", build({}).url)
    assert.equal("http://box:1234/api/chat", build({}, { base_url = "box:1234" }).url)
    assert.equal("https://ollama.com/api/chat", build({}, { base_url = "https://ollama.com/api" }).url)
  end)

  it("puts sampling into options and says whether it streams", function()
    local body = build({ temperature = 0.5, max_tokens = 16.0, seed = 1, stop = { "x" }, reasoning = "low" }).body
    assert.is_false(body.stream)
    assert.same({ temperature = 0.5, num_predict = 16, seed = 1, stop = { "x" } }, body.options)
    assert.equal("integer", math.type(body.options.num_predict))
    assert.equal("low", body.think)
    assert.is_true(build({ stream = true }).body.stream)
    assert.is_nil(build({}).body.options)
  end)

  it("sends arguments as objects and results by name", function()
    local body = build({ tools = { { name = "f" } }, messages = {
      { role = "assistant", content = "", tool_calls = { { id = "a", name = "f", arguments = {} } },
        provider_parts = { adapter = "ollama", thinking = "hm" } },
      { role = "tool", tool_call_id = "a", name = "f", content = "1" },
    } }).body
    assert.equal('{"function":{"arguments":{},"name":"f"}}', json.encode(body.messages[1].tool_calls[1]))
    assert.equal("hm", body.messages[1].thinking)
    assert.equal("f", body.messages[2].tool_name)
    assert.equal("f", body.tools[1]["function"].name)
    assert.is_nil(build({ tools = { { name = "f" } }, tool_choice = "none" }).body.tools)
  end)

  it("sends a schema as format; beside tools, which that would shut out, as one more tool", function()
    local schema = { type = "object", properties = { n = { type = "integer" } } }
    assert.equal(schema, build({ schema = schema }).body.format)
    assert.equal(schema, build({ schema = schema, tools = { { name = "f" } }, tool_choice = "none" }).body.format)
    local body = build({ schema = schema, tools = { { name = "f" } } }).body
    assert.is_nil(body.format)
    assert.same({ "f", "answer" }, { body.tools[1]["function"].name, body.tools[2]["function"].name })
    assert.equal(schema, body.tools[2]["function"].parameters)
  end)
end)

describe("ollama.parse", function()
  it("takes a schema's answer out of the calls", function()
    local request = { model = "m", schema = { type = "object" }, tools = { { name = "f" } } }
    local body = { model = "m", done = true, message = { role = "assistant", content = "",
      tool_calls = { { ["function"] = { name = "answer", arguments = { n = 1 } } } } } }
    local response = ollama.parse(200, {}, json.encode(body), request)
    assert.same({ '{"n":1}', "stop" }, { response.content, response.finish_reason })
    assert.is_nil(response.tool_calls)
    body.message.tool_calls[1]["function"].name = "f"
    assert.equal("f", ollama.parse(200, {}, json.encode(body), request).tool_calls[1].name)
  end)

  it("reads an answer with calls that says stop", function()
    local response = ollama.parse(200, {}, json.encode { model = "m", done = true, done_reason = "stop",
      prompt_eval_count = 4, eval_count = 2,
      message = { role = "assistant", content = "", thinking = "hm",
        tool_calls = { { ["function"] = { name = "f", arguments = { x = 1 } } } } } })
    assert.equal("tool_calls", response.finish_reason)
    assert.equal("", response.content)
    assert.equal("hm", response.reasoning)
    assert.same({ x = 1 }, response.tool_calls[1].arguments)
    assert.same({ input_tokens = 4, output_tokens = 2 }, response.usage)
    assert.equal("hm", response.provider_parts.thinking)
  end)

  it("types errors", function()
    local _, err = ollama.parse(404, {}, '{"error":"model \'x\' not found"}')
    assert.equal("permanent", err.kind)
    assert.equal("ollama: 404 permanent: model 'x' not found", err.message)
    _, err = ollama.parse(200, {}, '{"error":"out of memory"}')
    assert.equal("transient", err.kind)
  end)
end)

describe("ollama.stream", function()
  it("joins lines; calls come before the last", function()
    local body = lines(said { content = "", thinking = "h" }, said { content = "", thinking = "m" },
      said { content = "Hel" }, said { content = "lo" },
      said { content = "", tool_calls = { { id = "c", ["function"] = { name = "f", arguments = { x = 1 } } } } },
      said({ content = "!" }, { done = true, done_reason = "stop", prompt_eval_count = 3, eval_count = 5 }))
    local response, err, deltas = reading.stream(ollama, body)
    assert.is_nil(err)
    assert.equal("Hello!", response.content)
    assert.equal("Hello!", reading.joined(deltas, "content"))
    assert.equal("hm", reading.joined(deltas, "reasoning"))
    assert.equal("tool_calls", response.finish_reason)
    assert.equal("c", response.tool_calls[1].id)
    assert.same({ input_tokens = 3, output_tokens = 5 }, response.usage)
  end)

  it("fails on an error line, a cut, and a broken line", function()
    local _, err = reading.stream(ollama, lines(said { content = "a" }, { error = "gone" }))
    assert.equal("gone", err.reason)
    assert.equal("a", err.context.partial.content)
    _, err = reading.stream(ollama, lines(said { content = "a" }))
    assert.equal("stream_cut", err.code)
    _, err = reading.stream(ollama, lines(said { content = "a" }) .. '{"message": {"cont\n'
      .. lines(said({ content = "" }, { done = true })))
    assert.equal("broken_event", err.code)
  end)
end)
