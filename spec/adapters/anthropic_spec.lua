local anthropic = require "curia.adapters.anthropic"
local json = require "curia.json"
local reading = require "spec.adapters.reading"

local function body_of(request)
  request.model = request.model or "claude-sonnet-4-5"
  request.messages = request.messages or { { role = "user", content = "Hi" } }
  return anthropic.build(request, {}).body
end

local function parse(value, request)
  return anthropic.parse(200, {}, assert(json.encode(value)), request)
end

local function event(kind, fields)
  fields.type = kind
  return "event: " .. kind .. "\ndata: " .. assert(json.encode(fields)) .. "\n\n"
end

local function delta(index, fields)
  return event("content_block_delta", { index = index, delta = fields })
end

local START = event("message_start", { message = { id = "m1", model = "claude-x", content = json.array(),
  usage = { input_tokens = 10, cache_read_input_tokens = 5, cache_creation_input_tokens = 1, output_tokens = 1 } } })

local function stop(reason)
  return event("message_delta", { delta = { stop_reason = reason }, usage = { output_tokens = 7 } })
    .. event("message_stop", {})
end

local function block(index, fields)
  return event("content_block_start", { index = index, content_block = fields })
end

describe("anthropic.build", function()
  it("puts the system on top, and always sends max_tokens", function()
    local built = anthropic.build({ model = "claude-3-haiku-20240307", messages = {
      { role = "system", content = "A" }, { role = "system", content = "B" }, { role = "user", content = "Hi" },
    } }, { api_key = "k" })
    assert.equal("https://api.anthropic.com/v1/messages", built.url)
    assert.equal("k", built.headers["x-api-key"])
    assert.equal("2023-06-01", built.headers["anthropic-version"])
    assert.equal("A\n\nB", built.body.system)
    assert.equal(4096, built.body.max_tokens)
    assert.same({ { role = "user", content = { { type = "text", text = "Hi" } } } }, built.body.messages)
  end)

  it("merges turns of one role and ends with the user", function()
    local messages = body_of({ messages = {
      { role = "assistant", content = "Hello" }, { role = "user", content = "a" }, { role = "user", content = "b" },
      { role = "assistant", content = "" }, { role = "user", content = "c" }, { role = "assistant", content = "d" },
    } }).messages
    local roles = {}
    for i, message in ipairs(messages) do roles[i] = message.role .. #message.content end
    assert.same({ "user1", "assistant1", "user3", "assistant1", "user1" }, roles)
  end)

  it("sends calls and their results in one turn each", function()
    local messages = body_of({ messages = {
      { role = "user", content = "q" },
      { role = "assistant", content = "ok", tool_calls = { { id = "a", name = "f", arguments = {} },
        { id = "b", name = "g", arguments = { x = 1 } } } },
      { role = "tool", tool_call_id = "a", content = "1" },
      { role = "tool", tool_call_id = "b", content = "2", is_error = true },
    } }).messages
    assert.equal('{"id":"a","input":{},"name":"f","type":"tool_use"}', json.encode(messages[2].content[2]))
    assert.same({ { type = "tool_result", tool_use_id = "a", content = "1" },
      { type = "tool_result", tool_use_id = "b", content = "2", is_error = true } }, messages[3].content)
  end)

  it("sends the vendor's blocks back as they came", function()
    local blocks = { { type = "thinking", thinking = "hm", signature = "s" }, { type = "text", text = "x" } }
    local messages = body_of({ messages = {
      { role = "user", content = "q" },
      { role = "assistant", content = "x", provider_parts = { adapter = "anthropic", content = blocks } },
      { role = "user", content = "r" },
    } }).messages
    assert.same(blocks, messages[2].content)
  end)

  it("thinks within a budget, or adaptively", function()
    local old = body_of { reasoning = { budget_tokens = 5000 }, max_tokens = 1000, temperature = 0.5 }
    assert.same({ type = "enabled", budget_tokens = 5000 }, old.thinking)
    assert.equal(6000, old.max_tokens)
    assert.is_nil(old.temperature)
    local new = body_of { model = "claude-opus-4-6", reasoning = "low" }
    assert.same({ type = "adaptive" }, new.thinking)
    assert.equal("low", new.output_config.effort)
  end)

  it("sends one sampling field at most", function()
    local body = body_of { temperature = 0.5, top_p = 0.9 }
    assert.equal(0.5, body.temperature)
    assert.is_nil(body.top_p)
    assert.is_nil(body_of({ model = "claude-opus-4-7", temperature = 0.5 }).temperature)
  end)

  it("marks the shared prefix for the cache", function()
    local messages = { { role = "system", content = "S" }, { role = "user", content = "Hi" } }
    assert.same({ type = "ephemeral", ttl = "1h" }, body_of({ cache = "1h",
      messages = messages }).system[1].cache_control)
    local marked = body_of { cache = true, messages = { { role = "user", content = "shared", cache = true },
      { role = "user", content = "own" } } }
    assert.same({ type = "ephemeral" }, marked.messages[1].content[1].cache_control)
    assert.is_nil(marked.messages[1].content[2].cache_control)
  end)

  it("has a native form of schemas, without the keywords it refuses", function()
    local body = body_of { schema = { type = "object", properties = { n = { type = "integer", minimum = 1 } } } }
    assert.equal("json_schema", body.output_config.format.type)
    assert.is_nil(body.output_config.format.schema.properties.n.minimum)
    assert.is_false(body.output_config.format.schema.additionalProperties)
    assert.is_nil(body.tools)
  end)

  it("emulates schemas with a forced tool where there is none", function()
    local schema = { type = "object", properties = { n = { type = "integer" } } }
    local body = body_of { model = "claude-3-5-haiku-20241022", schema = schema, schema_name = "out" }
    assert.equal("out", body.tools[1].name)
    assert.same({ type = "tool", name = "out" }, body.tool_choice)
    body = body_of { model = "claude-3-5-haiku-20241022", schema = schema, tools = { { name = "f" } } }
    assert.same({ type = "any" }, body.tool_choice)
    body = body_of { model = "claude-3-5-haiku-20241022", schema = schema, tools = { { name = "f" } }, tool_choice = "none" }
    assert.same({ type = "tool", name = "answer" }, body.tool_choice)
    body = body_of { model = "claude-3-7-sonnet-20250219", schema = schema, reasoning = "low" }
    assert.same({ type = "auto" }, body.tool_choice)
  end)

  it("chooses tools", function()
    local tools = { { name = "f" } }
    assert.same({ type = "any", disable_parallel_tool_use = true },
      body_of({ tools = tools, tool_choice = "required", parallel_tools = false }).tool_choice)
    assert.same({ type = "tool", name = "f" }, body_of({ tools = tools, tool_choice = "f" }).tool_choice)
  end)
end)

describe("anthropic.parse", function()
  local usage = { input_tokens = 3, cache_read_input_tokens = 20, cache_creation_input_tokens = 4, output_tokens = 9,
    output_tokens_details = { thinking_tokens = 2 } }

  it("reads blocks; input counts what the cache gave and took", function()
    local response = parse { id = "m1", model = "c", stop_reason = "tool_use", usage = usage, content = {
      { type = "thinking", thinking = "hm", signature = "s" }, { type = "text", text = "a" },
        { type = "text", text = "b" },
      { type = "server_tool_use", id = "s1", name = "web", input = {} },
      { type = "tool_use", id = "t1", name = "f", input = json.object() },
    } }
    assert.equal("ab", response.content)
    assert.equal("hm", response.reasoning)
    assert.equal(1, #response.tool_calls)
    assert.equal("{}", response.tool_calls[1].raw)
    assert.equal("tool_calls", response.finish_reason)
    assert.same({ input_tokens = 27, output_tokens = 9, cached_tokens = 20, cache_write_tokens = 4,
      reasoning_tokens = 2 }, response.usage)
    assert.equal(5, #response.provider_parts.content)
    assert.matches('"input":{}', json.encode(response.provider_parts.content))
  end)

  it("maps the reasons to stop", function()
    for reason, finish in pairs { end_turn = "stop", stop_sequence = "stop", max_tokens = "length", refusal = "refusal",
      pause_turn = "length", model_context_window_exceeded = "length", something_new = "stop" } do
      assert.equal(finish, parse({ stop_reason = reason, content = json.array() }).finish_reason)
    end
    assert.equal("No.", parse({ stop_reason = "refusal", stop_details = { explanation = "No." },
      content = json.array() }).content)
  end)

  it("wraps what is no object, and unwraps it", function()
    local request = { model = "claude-3-5-haiku", schema = { type = "array", items = { ["$ref"] = "#/$defs/n" },
      ["$defs"] = { n = { type = "integer" } } } }
    local schema = body_of(request).tools[1].input_schema
    assert.equal(request.schema, schema.properties.answer)
    assert.equal("integer", schema["$defs"].n.type)
    local response = parse({ stop_reason = "tool_use", content = { { type = "tool_use", id = "t", name = "answer",
      input = { answer = { 1, 2 } } } } }, request)
    assert.equal("[1,2]", response.content)
  end)

  it("unwraps an emulated schema", function()
    local request = { model = "claude-3-5-haiku", schema = { type = "object" }, schema_name = "out" }
    local response = parse({ stop_reason = "tool_use", content = { { type = "tool_use", id = "t", name = "out",
      input = { n = 1 } } } }, request)
    assert.equal('{"n":1}', response.content)
    assert.is_nil(response.tool_calls)
    assert.equal("stop", response.finish_reason)
  end)

  it("types errors", function()
    local function kind(status, fault, headers)
      local _, err = anthropic.parse(status, headers or {}, json.encode { type = "error", error = fault }, nil)
      return err.kind, err
    end
    assert.equal("overloaded", kind(529, { type = "overloaded_error", message = "Overloaded" }))
    assert.equal("auth", kind(401, { type = "authentication_error", message = "invalid x-api-key" }))
    assert.equal("quota_exhausted", kind(400, { type = "invalid_request_error",
      message = "Your credit balance is too low" }))
    assert.equal("permanent", kind(413, { type = "request_too_large", message = "big" }))
    local _, err = kind(429, { type = "rate_limit_error", message = "slow" },
      { ["retry-after"] = "3", ["x-should-retry"] = "true" })
    assert.equal("anthropic: 429 rate_limited: slow", err.message)
    assert.equal("rate_limit_error", err.code)
    assert.equal(3000, err.retry_after_ms)
    assert.is_true(err.retryable)
  end)
end)

describe("anthropic.stream", function()
  it("puts blocks together", function()
    local body = START .. event("ping", {})
      .. block(0, { type = "thinking", thinking = "", signature = "" })
      .. delta(0, { type = "thinking_delta", thinking = "h" }) .. delta(0, { type = "thinking_delta", thinking = "m" })
      .. delta(0, { type = "signature_delta", signature = "sig" }) .. event("content_block_stop", { index = 0 })
      .. block(1, { type = "redacted_thinking", data = "xxx" }) .. event("content_block_stop", { index = 1 })
      .. block(2, { type = "text", text = "" })
      .. delta(2, { type = "text_delta", text = "Hel" }) .. delta(2, { type = "text_delta", text = "lo" })
      .. event("content_block_stop", { index = 2 })
      .. block(3, { type = "tool_use", id = "t1", name = "f", input = json.object() })
      .. delta(3, { type = "input_json_delta", partial_json = "" })
      .. delta(3, { type = "input_json_delta", partial_json = '{"a": ' })
        .. delta(3, { type = "input_json_delta", partial_json = "1}" })
      .. event("content_block_stop", { index = 3 })
      .. block(4, { type = "tool_use", id = "t2", name = "g", input = json.object() })
      .. delta(4, { type = "input_json_delta", partial_json = "" }) .. event("content_block_stop", { index = 4 })
        .. stop "tool_use"
    local response, err, deltas = reading.stream(anthropic, body, { model = "claude-x" })
    assert.is_nil(err)
    assert.equal("Hello", response.content)
    assert.equal("hm", response.reasoning)
    assert.same({ a = 1 }, response.tool_calls[1].arguments)
    assert.same({}, response.tool_calls[2].arguments)
    assert.same({ input_tokens = 16, output_tokens = 7, cached_tokens = 5, cache_write_tokens = 1 }, response.usage)
    assert.same({ type = "thinking", thinking = "hm", signature = "sig" }, response.provider_parts.content[1])
    assert.equal("xxx", response.provider_parts.content[2].data)
    assert.equal('{"a": 1}', reading.joined(deltas, "tool_args"))
    assert.equal("Hello", reading.joined(deltas, "content"))
  end)

  it("keeps a call that was cut off by the limit", function()
    local body = START .. block(0, { type = "tool_use", id = "t", name = "f", input = json.object() })
      .. delta(0, { type = "input_json_delta", partial_json = '{"a": "b' }) .. stop "max_tokens"
    local response = reading.stream(anthropic, body)
    assert.equal("length", response.finish_reason)
    assert.is_nil(response.tool_calls[1].arguments)
    assert.equal('{"a": "b', response.tool_calls[1].raw)
  end)

  it("fails on an error in the stream, and on a cut", function()
    local text = START .. block(0, { type = "text", text = "" }) .. delta(0, { type = "text_delta", text = "He" })
    local _, err = reading.stream(anthropic, text .. event("error",
      { error = { type = "overloaded_error", message = "Overloaded" } }))
    assert.equal("overloaded", err.kind)
    assert.is_true(err.retryable)
    assert.equal("He", err.context.partial.content)
    _, err = reading.stream(anthropic, text)
    assert.equal("stream_cut", err.code)
  end)

  it("gives an emulated schema as content", function()
    local request = { model = "claude-3-5-haiku", schema = { type = "object" }, schema_name = "out" }
    local body = START .. block(0, { type = "tool_use", id = "t", name = "out", input = json.object() })
      .. delta(0, { type = "input_json_delta", partial_json = '{"n":1}' }) .. stop "tool_use"
    local response, _, deltas = reading.stream(anthropic, body, request)
    assert.equal('{"n":1}', response.content)
    assert.equal('{"n":1}', reading.joined(deltas, "content"))
    assert.equal("stop", response.finish_reason)
  end)

  it("passes over a [DONE] that gateways add", function()
    local response = reading.stream(anthropic, START .. block(0, { type = "text", text = "x" }) .. stop "end_turn"
      .. "event: data\ndata: [DONE]\n\n")
    assert.equal("x", response.content)
  end)
end)
