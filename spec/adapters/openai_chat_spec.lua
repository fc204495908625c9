local adapters = require "curia.adapters"
local chat = require "curia.adapters.openai_chat"
local json = require "curia.json"

local reading = require "spec.adapters.reading"
local sse = reading.sse

local function body_of(request)
  request.model = request.model or "gpt-4o-mini"
  request.messages = request.messages or { { role = "user", content = "Hi" } }
  return chat.build(request, {}).body
end

local function answer(choice, more)
  local value = { id = "c1", model = "m", choices = { choice } }
  for key, field in pairs(more or {}) do value[key] = field end
  return assert(json.encode(value))
end

local function parse(text, status, headers)
  return chat.parse(status or 200, headers or {}, text, nil)
end

local function delta(fields, finish)
  return assert(json.encode { id = "c1", model = "m", choices = { { index = 0, delta = fields,
    finish_reason = finish } } })
end

describe("openai_chat.build", function()
  it("sends the request with its key", function()
    local built = chat.build({ model = "m", messages = { { role = "user", content = "Hi" } }, max_tokens = 8192 / 2,
      temperature = 0.5, stop = { "x" }, seed = 7.0 }, { api_key = "k", headers = { ["X-Team"] = "a" } })
    assert.equal("https://api.openai.com/v1/chat/completions", built.url)
    assert.equal("Bearer k", built.headers.authorization)
    assert.equal("a", built.headers["x-team"])
    assert.equal("integer", math.type(built.body.max_tokens))
    assert.equal("integer", math.type(built.body.seed))
    assert.same({ { role = "user", content = "Hi" } }, built.body.messages)
    assert.is_nil(built.body.stream)
  end)

  it("finds the URL from a bare host, a version, and a query", function()
    local request = { model = "m", messages = {} }
    local function url(base) return chat.build(request, { base_url = base }).url end
    assert.equal("http://localhost:8000/v1/chat/completions", url "http://localhost:8000")
    assert.equal("http://localhost:8000/v1/chat/completions", url "http://localhost:8000/v1/")
    assert.equal("https://a/openai/deployments/d/chat/completions?api-version=1",
      url "https://a/openai/deployments/d?api-version=1")
  end)

  it("gives reasoning models the fields they take", function()
    local body = body_of { model = "openai/gpt-5-mini", max_tokens = 10, temperature = 1, top_p = 1, stop = { "x" },
      reasoning = "low" }
    assert.equal(10, body.max_completion_tokens)
    assert.equal("low", body.reasoning_effort)
    for _, field in ipairs { "max_tokens", "temperature", "top_p", "stop" } do assert.is_nil(body[field]) end
    assert.equal(10, body_of { model = "gpt-5-chat-latest", max_tokens = 10 }.max_tokens)
  end)

  it("asks for usage in streams", function()
    local body = body_of { stream = true }
    assert.is_true(body.stream)
    assert.is_true(body.stream_options.include_usage)
  end)

  it("sends tools, choices, calls and results", function()
    local body = body_of {
      tools = { { name = "find", about = "Finds.", parameters = { type = "object",
        properties = { q = { type = "string" } } } }, { name = "now" } },
      tool_choice = "find", parallel_tools = false,
      messages = {
        { role = "assistant", content = "", tool_calls = { { id = "a", name = "find", arguments = { q = "x" },
          raw = '{"q": "x"}' } } },
        { role = "tool", tool_call_id = "a", name = "find", content = "found" },
      },
    }
    assert.equal("find", body.tools[1]["function"].name)
    assert.equal("object", body.tools[2]["function"].parameters.type)
    assert.equal("find", body.tool_choice["function"].name)
    assert.is_false(body.parallel_tool_calls)
    assert.equal('{"q": "x"}', body.messages[1].tool_calls[1]["function"].arguments)
    assert.is_nil(body.messages[1].content)
    assert.same({ role = "tool", tool_call_id = "a", content = "found" }, body.messages[2])
  end)

  it("is strict with schemas only where that means the same", function()
    local closed = { type = "object", properties = { a = { type = "string" } }, required = { "a" } }
    local format = body_of { schema = closed }.response_format.json_schema
    assert.is_true(format.strict)
    assert.is_false(format.schema.additionalProperties)
    assert.is_nil(closed.additionalProperties)
    local optional = { type = "object", properties = { a = { type = "string" } } }
    format = body_of { schema = optional }.response_format.json_schema
    assert.is_false(format.strict)
    assert.equal(optional, format.schema)
  end)

  it("sends a schema beside tools, and none whose root is no object", function()
    local body = body_of { schema = { type = "object", properties = {} }, tools = { { name = "f" } } }
    assert.equal("json_schema", body.response_format.type)
    assert.equal("f", body.tools[1]["function"].name)
    assert.is_nil(body_of({ schema = { type = "array" } }).response_format)
    assert.equal("object", chat.capabilities.json_schema)
  end)

  it("gives back what belongs to the vendor, to the same model only", function()
    local parts = { adapter = "openai_chat", model = "m", fields = { reasoning_content = "hm" } }
    local messages = { { role = "assistant", content = "x", provider_parts = parts } }
    assert.equal("hm", body_of({ model = "m", messages = messages }).messages[1].reasoning_content)
    assert.is_nil(body_of({ model = "other", messages = messages }).messages[1].reasoning_content)
  end)

  it("merges the user's own fields last", function()
    assert.equal(3, body_of({ temperature = 1, extra = { temperature = 3 } }).temperature)
  end)
end)

describe("openai_chat.parse", function()
  it("reads an answer", function()
    local response = assert(parse(answer({ index = 0, message = { content = "Hello", reasoning_content = "hm" },
      finish_reason = "stop" },
      { usage = { prompt_tokens = 5, completion_tokens = 3, prompt_tokens_details = { cached_tokens = 2 },
        completion_tokens_details = { reasoning_tokens = 1 } } })))
    assert.equal("Hello", response.content)
    assert.equal("hm", response.reasoning)
    assert.equal("stop", response.finish_reason)
    assert.same({ input_tokens = 5, output_tokens = 3, cached_tokens = 2, reasoning_tokens = 1 }, response.usage)
    assert.equal("c1", response.provider_id)
    assert.is_nil(response.cost)
  end)

  it("reads plain answers as it reads all others", function()
    local counts = { prompt_tokens = 5, completion_tokens = 3, total_tokens = 9,
      completion_tokens_details = { reasoning_tokens = 1 } }
    for _, case in ipairs {
      { { index = 0, message = { role = "assistant", content = "a" }, finish_reason = "stop" }, { usage = counts } },
      { { message = { content = "", reasoning = "hm" }, finish_reason = "tool_calls" }, {} },
      { { message = { content = "a", reasoning_content = "", reasoning = "hm" }, finish_reason = "length" }, {} },
      { { message = { content = "a", refusal = json.null }, finish_reason = "content_filter" }, { id = json.null } },
      { { message = { content = "a" }, finish_reason = "error" }, { object = "chat.completion" } },
      { { message = { content = "a" }, finish_reason = "odd" }, { object = "error", message = "no" } },
    } do
      local short, short_err = parse(answer(case[1], case[2]))
      case[2].unheard_of = { 1 }
      local full, full_err = parse(answer(case[1], case[2]))
      if short then short.raw, full.raw = nil, nil end
      assert.same(full, short)
      assert.same(full_err and full_err.kind, short_err and short_err.kind)
    end
  end)

  it("reads a body behind lines of blanks", function()
    assert.equal("x", parse("\n   \n" .. answer { message = { content = "x" }, finish_reason = "stop" }).content)
  end)

  it("leaves unknown usage unknown", function()
    assert.same({}, parse(answer { message = { content = "x" }, finish_reason = "stop" }).usage)
  end)

  it("counts reasoning into the output where the vendor keeps it apart", function()
    local usage = { prompt_tokens = 10, completion_tokens = 4, total_tokens = 44,
      completion_tokens_details = { reasoning_tokens = 30 } }
    assert.equal(34, parse(answer({ message = { content = "x" } }, { usage = usage })).usage.output_tokens)
  end)

  it("takes the vendors' own costs", function()
    local function cost(usage, more)
      more = more or {}
      more.usage = usage
      local response = parse(answer({ message = { content = "x" } }, more))
      return response.cost and response.cost.usd
    end
    assert.equal(0.5, cost { cost = 0.5 })
    assert.equal(0.75, cost { cost = 0.5, is_byok = true, cost_details = { upstream_inference_cost = 0.25 } })
    assert.equal(0.25, cost { cost = { total_cost = 0.25 } })
    assert.is_true(math.abs(cost { cost_in_usd_ticks = 5000000000 } - 0.5) < 1e-12)
    assert.equal(0.125, cost({ prompt_tokens = 1 }, { cost = { usd = 0.125 } }))
    assert.is_nil(cost { cost_in_usd_ticks = 0 })
  end)

  it("reads tool calls, whatever the finish reason says", function()
    local call = { id = "a", type = "function", ["function"] = { name = "f", arguments = '{"x":1}' } }
    local response = parse(answer { message = { content = json.null, tool_calls = { call } }, finish_reason = "stop" })
    assert.equal("tool_calls", response.finish_reason)
    assert.equal("", response.content)
    assert.same({ id = "a", name = "f", arguments = { x = 1 }, raw = '{"x":1}' }, response.tool_calls[1])
  end)

  it("reads arguments that are null, empty, an object, encoded twice, or cut off", function()
    local function arguments(text)
      local call = { id = "a", ["function"] = { name = "f", arguments = text } }
      return parse(answer { message = { tool_calls = { call } }, finish_reason = "length" }).tool_calls[1]
    end
    assert.same({}, arguments("null").arguments)
    assert.same({}, arguments("").arguments)
    assert.same({ x = 1 }, arguments({ x = 1 }).arguments)
    assert.same({ x = 1 }, arguments('"{\\"x\\":1}"').arguments)
    local cut = arguments('{"x": [1, ')
    assert.is_nil(cut.arguments)
    assert.is_string(cut.fault)
    assert.equal('{"x": [1, ', cut.raw)
  end)

  it("makes an id where there is none", function()
    local response = parse(answer { message = { function_call = { name = "f", arguments = "{}" } },
      finish_reason = "function_call" })
    assert.equal("tool_calls", response.finish_reason)
    assert.equal("call_1", response.tool_calls[1].id)
    assert.is_true(response.tool_calls[1].made_id)
  end)

  it("takes a refusal for what it is", function()
    local response = parse(answer { message = { content = json.null, refusal = "I won't." }, finish_reason = "stop" })
    assert.equal("refusal", response.finish_reason)
    assert.equal("I won't.", response.content)
  end)

  it("reads content in typed parts", function()
    local content = { { type = "thinking", thinking = { { type = "text", text = "hm" } } },
      { type = "text", text = "yes" } }
    local response = parse(answer { message = { content = content }, finish_reason = "stop" })
    assert.equal("yes", response.content)
    assert.equal("hm", response.reasoning)
  end)

  it("counts choice 0 only", function()
    local text = json.encode { choices = { { index = 1, message = { content = "b" } },
      { index = 0, message = { content = "a" } } } }
    assert.equal("a", parse(text).content)
  end)
end)

describe("openai_chat errors", function()
  local function err_of(status, value, headers)
    local response, err = parse(type(value) == "string" and value or json.encode(value), status, headers)
    assert.is_nil(response)
    return err
  end

  it("are typed in every shape", function()
    local cases = {
      { 401, { error = { message = "Incorrect", code = "invalid_api_key" } }, "auth", "invalid_api_key" },
      { 400, { code = "invalid-argument", error = "Incorrect API key provided." }, "auth", "invalid-argument" },
      { 403, { detail = "no" }, "auth" },
      { 404, { error = "model 'x' not found" }, "permanent" },
      { 422, { detail = { { loc = { "body" }, msg = "field required" } } }, "permanent" },
      { 400, { code = "1500", message = "Invalid model", type = "invalid_model", object = "error" }, "permanent",
        "1500" },
      { 402, { error = { message = "pay" } }, "quota_exhausted" },
      { 429, { error = { message = "slow", type = "requests", code = "rate_limit_exceeded" } }, "rate_limited" },
      { 429, { error = { message = "broke", code = "insufficient_quota" } }, "quota_exhausted" },
      { 400, { error = { message = "no", code = "content_filter" } }, "content_filter" },
      { 503, { error = { message = "busy" } }, "overloaded" },
      { 500, { error = { message = "oops", code = 500 } }, "transient", "500" },
      { 408, {}, "transient" },
    }
    for _, case in ipairs(cases) do
      local err = err_of(case[1], case[2])
      assert.equal(case[3], err.kind, json.encode(case[2]))
      assert.equal(case[1], err.status)
      if case[4] then assert.equal(case[4], err.code) end
    end
  end)

  it("say what happened in one line and keep the vendor's words", function()
    local err = err_of(400, { error = { message = "bad\n  thing" } })
    assert.equal("openai_chat: 400 permanent: bad thing", err.message)
    assert.equal("bad\n  thing", err.reason)
    assert.is_false(err.retryable)
  end)

  it("tell a page, an empty body and broken JSON", function()
    assert.matches("502 transient: Bad gateway", err_of(502,
      "<html><head><title>Bad gateway</title></head></html>").message)
    assert.matches("empty body", err_of(500, "").message)
    assert.equal("unreadable_body", err_of(200, '{"choices": [').code)
    assert.equal("transient", err_of(200, "<html>hi</html>").kind)
    assert.equal("unreadable_body", err_of(200, "{}").code)
  end)

  it("are errors under status 200 too", function()
    local err = err_of(200, { error = { message = "upstream", code = 502 } })
    assert.equal("transient", err.kind)
    assert.is_true(err.retryable)
    assert.equal("auth", err_of(200, { error = { message = "no", code = 401 } }).kind)
  end)

  it("carry the wait that was asked for", function()
    local slow = { error = { message = "slow" } }
    assert.equal(250, err_of(429, slow, { ["retry-after-ms"] = "250", ["retry-after"] = "9" }).retry_after_ms)
    assert.equal(1500, err_of(429, slow, { ["retry-after"] = "1.5" }).retry_after_ms)
    assert.equal(60000, err_of(429, slow, { ["retry-after"] = "Wed, 21 Oct 2015 07:29:00 GMT",
      date = "Wed, 21 Oct 2015 07:28:00 GMT" }).retry_after_ms)
    assert.equal(360000, err_of(429, slow, { ["x-ratelimit-remaining-requests"] = "0",
      ["x-ratelimit-reset-requests"] = "6m0s" }).retry_after_ms)
    assert.equal(20, err_of(429, { error = { message = "Please try again in 20ms. Visit us." } }).retry_after_ms)
    assert.is_nil(err_of(400, slow, { ["x-ratelimit-reset"] = "5" }).retry_after_ms)
  end)

  it("obey x-should-retry", function()
    assert.is_false(err_of(500, {}, { ["x-should-retry"] = "false" }).retryable)
    assert.is_true(err_of(400, {}, { ["x-should-retry"] = "true" }).retryable)
  end)
end)

describe("openai_chat.stream", function()
  it("joins text gathered in C with whole events", function()
    local body = sse(delta { role = "assistant", content = "" }, delta { content = "Hel" }, delta { content = "lo" },
      delta({ content = "!" }, "stop"), '{"choices":[],"usage":{"prompt_tokens":2,"completion_tokens":3}}', "[DONE]")
    local response, err, deltas = reading.stream(chat, body)
    assert.is_nil(err)
    assert.equal("Hello!", response.content)
    assert.equal("Hello!", reading.joined(deltas, "content"))
    assert.equal("stop", response.finish_reason)
    assert.same({ input_tokens = 2, output_tokens = 3 }, response.usage)
  end)

  it("gathers calls by index, by id, and by place", function()
    local function fragment(index, id, name, arguments)
      return { index = index, id = id, ["function"] = { name = name, arguments = arguments } }
    end
    local body = sse(
      delta { tool_calls = { fragment(0, "a", "f", '{"x"') } }, delta { tool_calls = { fragment(0, nil, nil, ":1}") } },
      delta { tool_calls = { fragment(0, "b", "g", "{}") } },
      delta { tool_calls = { fragment(nil, "c", "h", "{}"), fragment(nil, "d", "i", "") } }, delta({}, "stop"),
        "[DONE]")
    local response, _, deltas = reading.stream(chat, body)
    local names = {}
    for i, call in ipairs(response.tool_calls) do names[i] = call.id .. call.name .. json.encode(call.arguments) end
    assert.same({ 'af{"x":1}', "bg{}", "ch{}", "di{}" }, names)
    assert.equal("tool_calls", response.finish_reason)
    assert.equal('{"x":1}{}{}', reading.joined(deltas, "tool_args"))
  end)

  it("joins refusals", function()
    local response = reading.stream(chat, sse(delta { refusal = "I " }, delta { refusal = "won't." },
      delta({}, "stop"), "[DONE]"))
    assert.equal("I won't.", response.content)
    assert.equal("refusal", response.finish_reason)
  end)

  it("reads either name of reasoning, and both only once", function()
    local body = sse(delta { content = "" }, delta { reasoning_content = "a" },
      delta { reasoning = "b", reasoning_content = "b" },
      delta { reasoning = "c" }, delta({ content = "x" }, "stop"))
    assert.equal("abc", reading.stream(chat, body).reasoning)
  end)

  it("takes [DONE] or a finish reason for the end, and nothing else", function()
    assert.equal("x", reading.stream(chat, sse(delta { content = "x" }, "[DONE]")).content)
    assert.equal("x", reading.stream(chat, sse(delta({ content = "x" }, "stop"))).content)
    local response, err = reading.stream(chat, sse(delta { content = "x" }, delta { content = "y" }))
    assert.is_nil(response)
    assert.equal("stream_cut", err.code)
    assert.equal("transient", err.kind)
    assert.equal("xy", err.context.partial.content)
  end)

  it("fails on an error in the stream, also after a finish reason", function()
    local failed = '{"error":{"message":"gone","code":502},"choices":[{"index":0,"delta":{},"finish_reason":"error"}]}'
    local _, err = reading.stream(chat, sse(delta({ content = "x" }, "stop"), failed, "[DONE]"))
    assert.equal("transient", err.kind)
    assert.equal("gone", err.reason)
    assert.equal("x", err.context.partial.content)
    _, err = reading.stream(chat, sse(delta { content = "x" }) .. 'error: {"error":{"message":"oom"}}\n\n')
    assert.equal("oom", err.reason)
    _, err = reading.stream(chat, sse(delta { content = "x" }) .. "event: error\ndata: broken pipe\n\n")
    assert.equal("broken pipe", err.reason)
  end)

  it("fails where an event is no JSON", function()
    local _, err = reading.stream(chat, sse(delta { content = "x" }, '{"choices": oops', delta({}, "stop"), "[DONE]"))
    assert.equal("broken_event", err.code)
  end)

  it("keeps reasoning details to be sent back", function()
    local body = sse(
      delta { reasoning_details = { { type = "reasoning.text", index = 0, text = "a" } } },
      delta { reasoning_details = { { type = "reasoning.text", index = 0, text = "b", signature = "s" } } },
      delta({ content = "x" }, "stop"))
    local response = reading.stream(chat, body, { model = "m" })
    assert.equal("ab", response.reasoning)
    assert.same({ { type = "reasoning.text", index = 0, text = "ab", signature = "s" } },
      response.provider_parts.fields.reasoning_details)
  end)

  it("counts choice 0 only", function()
    local body = sse('{"choices":[{"index":0,"delta":{"content":"a"}}]}',
      '{"choices":[{"index":1,"delta":{"content":"b"}}]}',
      '{"choices":[{"index":0,"delta":{"content":"c"},"finish_reason":"stop"}]}')
    assert.equal("ac", reading.stream(chat, body).content)
  end)
end)

describe("adapters.extend", function()
  it("makes a vendor from another, whose errors carry its name", function()
    local vendor = adapters.extend(chat, { name = "vendor", capabilities = { json_schema = false } })
    assert.is_false(vendor.capabilities.json_schema)
    assert.is_true(vendor.capabilities.tools)
    local _, err = vendor.parse(500, {}, "", nil)
    assert.matches("^vendor: 500", err.message)
    _, err = reading.stream(vendor, sse(delta { content = "x" }))
    assert.matches("^vendor: stream cut", err.message)
  end)

  it("is found by name, with the nearest one named otherwise", function()
    assert.equal(chat, adapters.get "openai_chat")
    local adapter, message = adapters.get "openai_chta"
    assert.is_nil(adapter)
    assert.matches("openai_chat", message)
  end)
end)

describe("answers of another shape than the protocol's", function()
  it("are errors, never raises", function()
    for _, text in ipairs { '{"choices":[null]}', '{"choices":5}', '{"choices":[{"message":{"tool_calls":[7]}}]}' } do
      local response, err = parse(text)
      assert.is_nil(response)
      assert.equal("transient", err.kind)
    end
    local _, err = reading.stream(chat, sse('{"choices":[3]}', delta({ content = "x" }, "stop"), "[DONE]"))
    assert.equal("unexpected_shape", err.code)
    assert.matches("openai_chat.lua", err.context.lua)
  end)

  it("have plain fields or none", function()
    local response = parse '{"id":[1],"model":7,"choices":[{"message":{"content":"x"}}]}'
    assert.is_nil(response.model)
    assert.is_nil(response.provider_id)
  end)
end)
