--- Log probabilities, asked for and read alike by all adapters whose providers have them.
local adapters = require "curia.adapters"
local json = require "curia.json"
local reading = require "spec.adapters.reading"

local function body(name, model, logprobs, config)
  local adapter = adapters.get(name)
  return adapter.build({ model = model, messages = { { role = "user", content = "Hi" } }, logprobs = logprobs },
    config or { api_key = "k" }).body
end

-- What the answer's tokens were, as "token logprob".
local function read(response, err)
  assert(response, tostring(err))
  local tokens = {}
  for i, token in ipairs(response.logprobs or {}) do tokens[i] = token.token .. " " .. token.logprob end
  return tokens
end

local function parse(name, value)
  return adapters.get(name).parse(200, {}, assert(json.encode(value)), {})
end

local ONE, TWO = { token = "a", logprob = -0.5 }, { token = "b", logprob = -1.5 }
local BOTH = { "a -0.5", "b -1.5" }

describe("log probabilities", function()
  it("are asked for only when they are wanted, and only from models that give them", function()
    assert.is_true(body("openai_chat", "gpt-4.1", true).logprobs)
    assert.is_nil(body("openai_chat", "gpt-4.1").logprobs)
    assert.is_nil(body("openai_chat", "gpt-5", true).logprobs)
    assert.is_nil(body("openai_chat", "llama", true, { api_key = "k", logprobs = false }).logprobs)
    assert.is_true(body("openrouter", "openai/gpt-4.1", true).logprobs)
    assert.is_nil(body("openrouter", "openai/gpt-4.1").logprobs)
    assert.same({ "message.output_text.logprobs" }, body("openai_responses", "gpt-4.1", true).include)
    assert.is_nil(body("openai_responses", "gpt-4.1").include)
    assert.same({ "reasoning.encrypted_content" }, body("openai_responses", "gpt-5", true).include)
    assert.is_true(body("gemini", "gemini-2.0-flash", true).generationConfig.responseLogprobs)
    assert.is_nil(body("gemini", "gemini-3-pro", true).generationConfig)
    assert.is_nil(body("gemini", "gemini-2.0-flash").generationConfig)
    assert.is_true(body("ollama", "llama3.2", true).logprobs)
    assert.is_nil(body("ollama", "llama3.2").logprobs)
    assert.is_nil(body("anthropic", "claude-sonnet-4-5", true).logprobs)
  end)

  it("are said to be there by the adapters that can ask for them", function()
    for name, has in pairs { openai_chat = true, openai_responses = true, openrouter = true, gemini = true, ollama = true,
      scripted = true, anthropic = false } do
      assert.equal(has, adapters.get(name).capabilities.logprobs == true, name)
    end
  end)

  it("are read from whole answers", function()
    assert.same(BOTH, read(parse("openai_chat", { choices = { { message = { content = "ab" }, finish_reason = "stop",
      logprobs = { content = { ONE, TWO } } } } })))
    assert.same(BOTH, read(parse("openai_responses", { status = "completed", output = { { type = "message",
      content = { { type = "output_text", text = "ab", logprobs = { ONE, TWO } } } } } })))
    assert.same(BOTH, read(parse("gemini", { candidates = { { content = { parts = { { text = "ab" } } },
      finishReason = "STOP", logprobsResult = { chosenCandidates = { { token = "a", logProbability = -0.5 },
        { token = "b", logProbability = -1.5 } } } } } })))
    assert.same(BOTH, read(parse("ollama", { message = { content = "ab" }, done = true, logprobs = { ONE, TWO } })))
  end)

  it("are joined from streams", function()
    local function event(value) return assert(json.encode(value)) end
    assert.same(BOTH, read(reading.stream(adapters.get "openai_chat", reading.sse(
      event { choices = { { index = 0, delta = { content = "a" }, logprobs = { content = { ONE } } } } },
      event { choices = { { index = 0, delta = { content = "b" }, logprobs = { content = { TWO } } } } },
      event { choices = { { index = 0, delta = {}, finish_reason = "stop" } } }, "[DONE]"))))
    local function gemini(text, token, logprob, finish)
      return event { candidates = { { content = { parts = { { text = text } } }, finishReason = finish,
        logprobsResult = { chosenCandidates = { { token = token, logProbability = logprob } } } } } }
    end
    assert.same(BOTH, read(reading.stream(adapters.get "gemini", reading.sse(gemini("a", "a", -0.5),
      gemini("b", "b", -1.5, "STOP")))))
    assert.same(BOTH, read(reading.stream(adapters.get "ollama", table.concat({
      event { message = { content = "a" }, done = false, logprobs = { ONE } },
      event { message = { content = "b" }, done = false, logprobs = { TWO } },
      event { message = { content = "" }, done = true, done_reason = "stop" }, "" }, "\n"))))
  end)
end)
