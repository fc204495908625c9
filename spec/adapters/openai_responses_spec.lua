local json = require "curia.json"
local reading = require "spec.adapters.reading"
local responses = require "curia.adapters.openai_responses"

local function body_of(request)
  request.model = request.model or "gpt-4o"
  request.messages = request.messages or { { role = "user", content = "Hi" } }
  return responses.build(request, {}).body
end

local function parse(value, request, status)
  return responses.parse(status or 200, {}, assert(json.encode(value)), request)
end

local function event(kind, fields)
  fields.type = kind
  return "event: " .. kind .. "\ndata: " .. assert(json.encode(fields)) .. "\n\n"
end

local function message_item(text)
  return { type = "message", id = "m1", role = "assistant", content = { { type = "output_text", text = text } } }
end

local CALL = { type = "function_call", id = "fc", call_id = "c1", name = "f", arguments = '{"x":1}' }
local REASONING = { type = "reasoning", id = "rs", summary = { { type = "summary_text", text = "hm" } },
  encrypted_content = "enc" }
local CREATED = event("response.created", { response = { id = "r1", status = "in_progress" } })

local function completed(fields)
  fields.id, fields.status, fields.model = "r1", fields.status or "completed", "m"
  return event("response." .. fields.status, { response = fields })
end

describe("openai_responses.build", function()
  it("sends instructions, input and no state", function()
    local built = responses.build({ model = "gpt-4o", temperature = 1, max_tokens = 5, messages = {
      { role = "system", content = "S" }, { role = "user", content = "q" }, { role = "assistant", content = "a" },
    } }, { api_key = "k" })
    assert.equal("https://api.openai.com/v1/responses", built.url)
    assert.equal("S", built.body.instructions)
    assert.same({ { role = "user", content = "q" }, { role = "assistant", content = "a" } }, built.body.input)
    assert.is_false(built.body.store)
    assert.equal(5, built.body.max_output_tokens)
    assert.is_nil(built.body.include)
  end)

  it("asks reasoning models for what has to come back, and sends it back", function()
    local body = body_of { model = "gpt-5", temperature = 1, reasoning = "high", messages = {
      { role = "assistant", content = "x", tool_calls = { { id = "c1", name = "f" } },
        provider_parts = { adapter = "openai_responses", model = "gpt-5", items = { REASONING, CALL } } },
      { role = "tool", tool_call_id = "c1", content = "1" },
    } }
    assert.same({ "reasoning.encrypted_content" }, body.include)
    assert.equal("high", body.reasoning.effort)
    assert.is_nil(body.temperature)
    assert.same({ REASONING, CALL, { type = "function_call_output", call_id = "c1", output = "1" } }, body.input)
  end)

  it("sends calls, tools and schema in its own form", function()
    local body = body_of { tools = { { name = "f" } }, tool_choice = "f", schema = { type = "object", properties = {} },
      messages = { { role = "assistant", content = "", tool_calls = { { id = "c1", name = "f",
        arguments = { x = 1 } } } } } }
    assert.same({ { type = "function_call", call_id = "c1", name = "f", arguments = '{"x":1}' } }, body.input)
    assert.is_false(body.tools[1].strict)
    assert.same({ type = "function", name = "f" }, body.tool_choice)
    assert.equal("json_schema", body.text.format.type)
  end)
end)

describe("openai_responses.parse", function()
  it("reads items", function()
    local response = parse({ id = "r1", status = "completed", model = "m",
      output = { REASONING, message_item "Hello", CALL },
      usage = { input_tokens = 5, output_tokens = 4, input_tokens_details = { cached_tokens = 1 },
        output_tokens_details = { reasoning_tokens = 2 } } },
      { model = "gpt-5" })
    assert.equal("Hello", response.content)
    assert.equal("hm", response.reasoning)
    assert.equal("c1", response.tool_calls[1].id)
    assert.equal("tool_calls", response.finish_reason)
    assert.same({ input_tokens = 5, output_tokens = 4, cached_tokens = 1, reasoning_tokens = 2 }, response.usage)
    assert.equal("enc", response.provider_parts.items[1].encrypted_content)
  end)

  it("knows refusals and incomplete answers", function()
    local refused = parse { status = "completed", output = { { type = "message",
      content = { { type = "refusal", refusal = "No." } } } } }
    assert.equal("refusal", refused.finish_reason)
    assert.equal("No.", refused.content)
    local function incomplete(reason)
      return parse({ status = "incomplete", incomplete_details = { reason = reason },
        output = json.array() }).finish_reason
    end
    assert.equal("length", incomplete "max_output_tokens")
    assert.equal("content_filter", incomplete "content_filter")
  end)

  it("types errors", function()
    local _, err = parse({ error = { message = "The requested model 'x' does not exist.",
      code = "model_not_found" } }, nil, 400)
    assert.equal("permanent", err.kind)
    _, err = parse { status = "failed", error = { code = "insufficient_quota", message = "no money" } }
    assert.equal("quota_exhausted", err.kind)
    _, err = parse { status = "in_progress", output = json.array() }
    assert.equal("not_finished", err.code)
    _, err = parse({ code = "invalid-argument", error = "Incorrect API key provided." }, nil, 400)
    assert.equal("auth", err.kind)
  end)
end)

describe("openai_responses.stream", function()
  it("joins deltas, keyed by place and not by item id", function()
    local body = CREATED
      .. event("response.output_item.added", { output_index = 0,
        item = { type = "reasoning", summary = json.array() } })
      .. event("response.reasoning_summary_text.delta", { output_index = 0, item_id = "a", delta = "h" })
      .. event("response.reasoning_summary_text.delta", { output_index = 0, item_id = "b", delta = "m" })
      .. event("response.output_item.done", { output_index = 0, item = REASONING })
      .. event("response.output_text.delta", { output_index = 1, item_id = "c", delta = "Hel" })
      .. event("response.output_text.delta", { output_index = 1, item_id = "d", delta = "lo", logprobs = json.array() })
      .. event("keepalive", { sequence_number = 7 })
      .. event("response.function_call_arguments.delta", { output_index = 2, delta = '{"x":1}' })
      .. event("response.output_item.done", { output_index = 2, item = CALL })
      .. completed { output = { REASONING, message_item "Hello", CALL },
        usage = { input_tokens = 1, output_tokens = 2 } }
    local response, err, deltas = reading.stream(responses, body)
    assert.is_nil(err)
    assert.equal("Hello", response.content)
    assert.equal("hm", response.reasoning)
    assert.equal("Hello", reading.joined(deltas, "content"))
    assert.same({ x = 1 }, response.tool_calls[1].arguments)
    assert.same({ input_tokens = 1, output_tokens = 2 }, response.usage)
    assert.equal(3, #response.provider_parts.items)
  end)

  it("keeps what the deltas gave when the final output is empty", function()
    local body = CREATED .. event("response.output_text.delta", { output_index = 0, delta = "Hi" })
      .. event("response.output_item.done", { output_index = 0, item = message_item "Hi" })
      .. event("response.output_item.done", { output_index = 1, item = CALL }) .. completed { output = json.array() }
        .. "data: [DONE]\n\n"
    local response = reading.stream(responses, body)
    assert.equal("Hi", response.content)
    assert.equal("f", response.tool_calls[1].name)
  end)

  it("reads refusals", function()
    local body = CREATED .. event("response.refusal.delta", { output_index = 0, delta = "No." })
      .. completed { output = json.array() }
    local response, _, deltas = reading.stream(responses, body)
    assert.equal("refusal", response.finish_reason)
    assert.equal("No.", response.content)
    assert.equal("No.", reading.joined(deltas, "content"))
  end)

  it("fails on error events and on a cut", function()
    local text = CREATED .. event("response.output_text.delta", { output_index = 0, delta = "Hi" })
    local fault = { code = "rate_limit_exceeded", message = "Please try again in 1.5s." }
    local _, err = reading.stream(responses, text .. event("error", { error = fault })
      .. completed { status = "failed", error = fault })
    assert.equal("rate_limited", err.kind)
    assert.equal(1500, err.retry_after_ms)
    assert.equal("Hi", err.context.partial.content)
    _, err = reading.stream(responses, text .. event("error", { code = "server_error", message = "oops" }))
    assert.equal("oops", err.reason)
    _, err = reading.stream(responses, text)
    assert.equal("stream_cut", err.code)
  end)
end)
