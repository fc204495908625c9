local adapters = require "curia.adapters"
local json = require "curia.json"

local function build(name, config)
  return adapters.get(name).embed.build({ input = { "a", "b" }, model = "m", provider = "p" }, config or {})
end

local function parse(name, body, status)
  return adapters.get(name).embed.parse(status or 200, {}, type(body) == "table" and json.encode(body) or body,
    { input = { "a", "b" }, model = "m", provider = "p" })
end

describe("embeddings", function()
  it("are asked for as OpenAI's protocol wants it", function()
    for _, name in ipairs { "openai_chat", "openai_responses", "openrouter" } do
      local built = build(name, { base_url = "http://here/v1", api_key = "k" })
      assert.equal("http://here/v1/embeddings", built.url)
      assert.equal("Bearer k", built.headers.authorization)
      assert.equal('{"input":["a","b"],"model":"m"}', json.encode(built.body))
    end
  end)

  it("are asked for as Gemini wants it", function()
    local built = build("gemini", { base_url = "http://here", api_key = "k" })
    assert.equal("http://here/v1beta/models/m:batchEmbedContents", built.url)
    assert.equal("k", built.headers["x-goog-api-key"])
    assert.equal('{"content":{"parts":[{"text":"b"}]},"model":"models/m"}', json.encode(built.body.requests[2]))
  end)

  it("are asked for as Ollama wants it", function()
    assert.equal("http://here:1/api/embed", build("ollama", { base_url = "here:1" }).url)
  end)

  it("are read in the order of the texts", function()
    local response = parse("openai_chat", { data = { { index = 1, embedding = { 2 } }, { index = 0, embedding = { 1 } } },
      usage = { prompt_tokens = 3 } })
    assert.same({ { 1 }, { 2 } }, response.vectors)
    assert.same({ input_tokens = 3, output_tokens = 0 }, response.usage)
    assert.same({ { 1 }, { 2 } }, parse("ollama", { embeddings = { { 1 }, { 2 } } }).vectors)
    assert.same({ { 1 }, { 2 } }, parse("gemini", { embeddings = { { values = { 1 } }, { values = { 2 } } } }).vectors)
  end)

  it("that are missing, or no JSON, or refused, are errors", function()
    for _, name in ipairs { "openai_chat", "gemini", "ollama" } do
      for _, body in ipairs { "{}", "<html>", '{"data":[{"embedding":[1]}],"embeddings":[[1]]}', '{"data":1,"embeddings":1}' } do
        local response, err = parse(name, body)
        assert.is_nil(response)
        assert.truthy(err.kind)
      end
      assert.equal("auth", select(2, parse(name, '{"error":{"message":"no"}}', 401)).kind)
    end
  end)
end)
