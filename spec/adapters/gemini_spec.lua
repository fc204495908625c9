local gemini = require "curia.adapters.gemini"
local json = require "curia.json"
local reading = require "spec.adapters.reading"

local function build(request)
  request.model = request.model or "gemini-2.5-flash"
  request.messages = request.messages or { { role = "user", content = "Hi" } }
  return gemini.build(request, { api_key = "k" })
end

local function chunk(parts, finish, more)
  local value = { candidates = { { content = parts and { parts = parts, role = "model" }, finishReason = finish } } }
  for key, field in pairs(more or {}) do value[key] = field end
  return value
end

local function parse(value, request, status)
  return gemini.parse(status or 200, {}, assert(json.encode(value)), request)
end

local function stream(chunks, request)
  local texts = {}
  for i, value in ipairs(chunks) do texts[i] = "data: " .. assert(json.encode(value)) .. "\r\n\r\n" end
  return reading.stream(gemini, table.concat(texts), request)
end

describe("gemini.build", function()
  it("asks for SSE in streams", function()
    local base = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash"
    assert.equal(base .. ":generateContent", build({}).url)
    assert.equal(base .. ":streamGenerateContent?alt=sse", build({ stream = true }).url)
    assert.equal("k", build({}).headers["x-goog-api-key"])
  end)

  it("maps the history, merged, starting and ending with the user", function()
    local body = build({ messages = {
      { role = "system", content = "S" }, { role = "assistant", content = "Hello" }, { role = "user", content = "a" },
      { role = "user", content = "b" }, { role = "assistant", content = "c" },
    } }).body
    assert.equal("S", body.systemInstruction.parts[1].text)
    local roles = {}
    for i, content in ipairs(body.contents) do roles[i] = content.role .. #content.parts end
    assert.same({ "user1", "model1", "user2", "model1", "user1" }, roles)
  end)

  it("sends calls and results, with the ids that are Google's own", function()
    local function contents(made, parts)
      return build({ messages = {
        { role = "user", content = "q" },
        { role = "assistant", tool_calls = { { id = "i", made_id = made, name = "f", arguments = {} } },
          provider_parts = parts },
        { role = "tool", tool_call_id = "i", content = "sunny" },
      } }).body.contents
    end
    local plain = contents(true)
    assert.equal('{"functionCall":{"args":{},"name":"f"}}', json.encode(plain[2].parts[1]))
    assert.same({ functionResponse = { name = "f", response = { result = "sunny" } } }, plain[3].parts[1])
    local parts = { { functionCall = { name = "f", id = "i", args = json.object() }, thoughtSignature = "s" } }
    local kept = contents(nil, { adapter = "gemini", parts = parts })
    assert.equal("s", kept[2].parts[1].thoughtSignature)
    assert.equal("i", kept[3].parts[1].functionResponse.id)
  end)

  it("sends a JSON result as an object", function()
    local body = build({ messages = { { role = "user", content = "q" },
      { role = "tool", name = "f", content = '{"t": 20}' } } }).body
    assert.same({ t = 20 }, body.contents[1].parts[2].functionResponse.response)
  end)

  it("signs calls of others for models that want signatures", function()
    local messages = { { role = "assistant", tool_calls = { { id = "i", name = "f", arguments = { x = 1 } } } } }
    local body = build({ model = "gemini-3-pro-preview", messages = messages }).body
    assert.equal("skip_thought_signature_validator", body.contents[2].parts[1].thoughtSignature)
  end)

  it("maps sampling, thinking and schema", function()
    local config = build({ max_tokens = 64.0, temperature = 1, top_p = 0.5, stop = { "x" }, seed = 1, reasoning = "low",
      schema = { type = "object", properties = {} } }).body.generationConfig
    assert.equal("integer", math.type(config.maxOutputTokens))
    assert.equal(2048, config.thinkingConfig.thinkingBudget)
    assert.equal("application/json", config.responseMimeType)
    assert.is_table(config.responseJsonSchema)
    assert.equal("low", build({ model = "gemini-3-pro-preview",
      reasoning = "low" }).body.generationConfig.thinkingConfig.thinkingLevel)
    local old = build({ model = "gemini-1.5-flash", schema = { type = "object",
      additionalProperties = false } }).body.generationConfig
    assert.same({ type = "object" }, old.responseSchema)
  end)

  it("emulates a schema beside tools where the model refuses both", function()
    local request = { tools = { { name = "f", parameters = { type = "object",
      properties = { x = { type = "string" } } } } },
      schema = { type = "object", properties = {} }, schema_name = "out" }
    local body = build(request).body
    assert.equal("out", body.tools[1].functionDeclarations[2].name)
    assert.same({ mode = "ANY" }, body.toolConfig.functionCallingConfig)
    assert.is_nil(body.generationConfig)
    request.tool_choice = "none"
    assert.same({ mode = "ANY", allowedFunctionNames = { "out" } }, build(request).body.toolConfig.functionCallingConfig)
    request.tool_choice = nil
    local response = parse(chunk({ { functionCall = { name = "out", args = { a = 1 } } } }, "STOP"), request)
    assert.equal('{"a":1}', response.content)
    assert.is_nil(response.tool_calls)
    request.model = "gemini-3-pro-preview"
    assert.is_table(build(request).body.generationConfig.responseJsonSchema)
  end)

  it("chooses tools", function()
    local request = { tools = { { name = "f" } }, tool_choice = "f" }
    assert.same({ mode = "ANY", allowedFunctionNames = { "f" } }, build(request).body.toolConfig.functionCallingConfig)
  end)
end)

describe("gemini.parse", function()
  it("reads parts; thoughts count into the output", function()
    local response = parse(chunk({ { text = "hm", thought = true }, { text = "a" },
      { text = "b", thoughtSignature = "s" } }, "STOP", {
      usageMetadata = { promptTokenCount = 5, candidatesTokenCount = 2, thoughtsTokenCount = 3,
        cachedContentTokenCount = 1,
        toolUsePromptTokenCount = 4 }, modelVersion = "g", responseId = "r" }))
    assert.equal("ab", response.content)
    assert.equal("hm", response.reasoning)
    assert.same({ input_tokens = 9, output_tokens = 5, cached_tokens = 1, reasoning_tokens = 3 }, response.usage)
    assert.equal("r", response.provider_id)
    assert.same({ { text = "a" }, { text = "b", thoughtSignature = "s" } }, response.provider_parts.parts)
  end)

  it("reads calls, with and without ids, also one that was not declared", function()
    local parts = { { functionCall = { name = "f" } }, { functionCall = { name = "g", id = "x", args = { a = 1 } } } }
    local response = parse(chunk(parts, "STOP"))
    assert.equal("tool_calls", response.finish_reason)
    assert.is_true(response.tool_calls[1].made_id)
    assert.equal("x", response.tool_calls[2].id)
    assert.equal("tool_calls", parse(chunk(parts, "UNEXPECTED_TOOL_CALL")).finish_reason)
  end)

  it("reads empty answers that are none's fault", function()
    local response = parse(chunk(nil, "MAX_TOKENS"))
    assert.equal("", response.content)
    assert.equal("length", response.finish_reason)
    assert.equal("content_filter", parse(chunk(nil, "SAFETY")).finish_reason)
    assert.equal("content_filter", parse({ promptFeedback = { blockReason = "SAFETY" } }).finish_reason)
  end)

  it("reads reasons as numbers", function()
    assert.equal("stop", parse(chunk({ { text = "x" } }, 1)).finish_reason)
    assert.equal("length", parse(chunk({ { text = "x" } }, 2)).finish_reason)
  end)

  it("reads the JSON array of a stream without alt=sse", function()
    local first, last = chunk { { text = "a" } }, chunk({ { text = "b" } }, "STOP")
    assert.equal("ab", parse({ first, last }).content)
    local _, err = parse { first }
    assert.equal("stream_cut", err.code)
  end)

  it("fails where the model's call was malformed", function()
    local _, err = parse(chunk(nil, "MALFORMED_FUNCTION_CALL"))
    assert.equal("MALFORMED_FUNCTION_CALL", err.code)
    assert.is_true(err.retryable)
  end)

  it("types errors, with RetryInfo, and a bad key under 400", function()
    local function err_of(status, fault) return select(2, parse({ error = fault }, nil, status)) end
    local slow = err_of(429, { code = 429, status = "RESOURCE_EXHAUSTED", message = "You exceeded your current quota",
      details = { { retryDelay = "31s" } } })
    assert.equal("rate_limited", slow.kind)
    assert.equal(31000, slow.retry_after_ms)
    assert.equal("RESOURCE_EXHAUSTED", slow.code)
    local bad = err_of(400, { code = 400, status = "INVALID_ARGUMENT", message = "no",
      details = { { reason = "API_KEY_INVALID" } } })
    assert.equal("auth", bad.kind)
    assert.equal("overloaded", err_of(503, { code = 503, status = "UNAVAILABLE", message = "busy" }).kind)
    local daily = err_of(429, { code = 429, status = "RESOURCE_EXHAUSTED", message = "m",
      details = { { violations = { { quotaId = "GenerateRequestsPerDayPerProject" } } } } })
    assert.equal("quota_exhausted", daily.kind)
    assert.equal("rate_limited", select(2, parse({ { error = { code = 429, status = "RESOURCE_EXHAUSTED",
      message = "m" } } }, nil, 429)).kind)
  end)
end)

describe("gemini.stream", function()
  it("joins chunks and keeps signed parts", function()
    local response, err, deltas = stream({
      chunk({ { text = "A" } }, nil, { usageMetadata = { promptTokenCount = 1 } }), chunk { { text = "B" } },
        chunk { { text = "C" } },
      chunk { { functionCall = { name = "f", args = { x = 1 } }, thoughtSignature = "s" } },
      chunk({ { text = "" } }, "STOP", { usageMetadata = { promptTokenCount = 3, candidatesTokenCount = 4 } }),
    }, { model = "gemini-2.5-flash" })
    assert.is_nil(err)
    assert.equal("ABC", response.content)
    assert.equal("ABC", reading.joined(deltas, "content"))
    assert.equal("tool_calls", response.finish_reason)
    assert.same({ input_tokens = 3, output_tokens = 4 }, response.usage)
    assert.same({ { text = "ABC" }, { functionCall = { name = "f", args = { x = 1 } }, thoughtSignature = "s" } },
      response.provider_parts.parts)
  end)

  it("takes the last of several reasons", function()
    local response = stream { chunk({ { text = "A" } }, "STOP"), chunk(nil, "RECITATION") }
    assert.equal("content_filter", response.finish_reason)
    assert.equal("A", response.content)
  end)

  it("fails on a cut and on an error", function()
    local _, err = stream { chunk { { text = "A" } }, chunk { { text = "B" } } }
    assert.equal("stream_cut", err.code)
    assert.equal("AB", err.context.partial.content)
    _, err = stream { chunk { { text = "A" } }, { error = { code = 503, status = "UNAVAILABLE", message = "busy" } } }
    assert.equal("overloaded", err.kind)
  end)
end)
