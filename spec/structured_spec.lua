--- Structured answers over real HTTP, by every adapter, whole and streamed: the schema goes out in each provider's own
--- way, and what comes back is judged, sent back or given up with its faults.
local curia = require "curia"
local helper = require "spec.helper"
local mock = require "curia.mock"
local schemas = require "curia.schema"

local ADAPTERS = {
  { name = "openai_chat", path = "/v1", model = "gpt-5-mini" },
  { name = "openai_responses", path = "/v1", model = "gpt-5-mini" },
  { name = "anthropic", path = "", model = "claude-sonnet-4-5" },
  { name = "gemini", path = "/v1beta", model = "gemini-2.5-flash" },
  { name = "ollama", path = "", model = "llama3.2" },
  { name = "openrouter", path = "/api/v1", model = "openai/gpt-5-mini" },
}

local SCORE = {
  type = "object", properties = { score = { type = "integer", minimum = 1, maximum = 10 } }, required = { "score" },
}

-- Asks one member of an adapter, with the mock as its provider.
local function ask(adapter, script, fields)
  local server = assert(mock.start { script = script })
  curia.config { providers = { mocked = { adapter = adapter.name, base_url = server.url .. adapter.path, api_key = "k" } } }
  local member = { id = "a", provider = "mocked", model = adapter.model, schema = SCORE, retry = { attempts = 3, base_ms = 1 } }
  for name, value in pairs(fields or {}) do member[name] = value end
  local council = curia.council "structured" { members = { member }, rounds = { { type = "independent_analysis" } } }
  local ok, result = pcall(helper.run, function() return curia.run(council, "Why?") end)
  server:close()
  assert(ok, result)
  return result.rounds[1].results.a
end

-- A script that answers in turn and remembers how many messages each request had.
local function in_turn(answers)
  local lengths = {}
  return function(request)
    lengths[#lengths + 1] = #request.messages
    return answers[math.min(#lengths, #answers)]
  end, lengths
end

local BAD, GOOD = '{"score": "high"}', '{"score": 7}'

local CASES = {
  { name = "fits", answers = { GOOD }, asks = { 1 } },
  { name = "is in a fence", answers = { "So:\n```json\n" .. GOOD .. "\n```" }, asks = { 1 } },
  { name = "is in prose", answers = { "I say " .. GOOD .. "." }, asks = { 1 } },
  { name = "is mended", answers = { BAD, GOOD }, asks = { 1, 3 } },
  { name = "is mended the second time", answers = { "none", BAD, GOOD }, repair = 2, asks = { 1, 3, 5 } },
  { name = "never fits", answers = { BAD }, asks = { 1, 3 }, code = "schema" },
  { name = "is not sent back", answers = { BAD, GOOD }, repair = 0, asks = { 1 }, code = "schema" },
  { name = "is cut off", answers = { { content = '{"score": 7', finish_reason = "length" }, GOOD }, asks = { 1, 3 } },
  { name = "is always cut off", answers = { { content = '{"score": 7', finish_reason = "length" } }, asks = { 1, 3 }, code = "length" },
  { name = "is mended after an error", answers = { BAD, { error = { status = 503 } }, GOOD }, asks = { 1, 3, 3 } },
}

local function check(adapter, case, stream)
  local script, lengths = in_turn(case.answers)
  local result = ask(adapter, script, { stream = stream, repair = case.repair })
  assert.same(case.asks, lengths)
  assert.equal(#case.asks, result.attempts)
  assert.equal(case.code and "invalid_output" or "ok", result.status)
  if case.code then
    assert.equal(case.code, result.error.code)
    assert.is_true(#result.error.context.faults > 0)
    assert.is_string(result.response.content)
  else
    assert.same({ score = 7 }, result.response.parsed)
  end
end

for _, adapter in ipairs(ADAPTERS) do
  for _, stream in ipairs { false, true } do
    describe(("a structured answer by %s, %s,"):format(adapter.name, stream and "streamed" or "whole"), function()
      it("is asked for in the provider's own way", function()
        local result = ask(adapter, nil, { stream = stream })
        assert.same({ "ok", 1 }, { result.status, result.attempts })
        assert.is_true(schemas.validate(SCORE, result.response.parsed))
      end)

      for _, case in ipairs(CASES) do
        it(case.name, function() check(adapter, case, stream) end)
      end
    end)
  end
end

describe("a structured answer of a model that has no form for it", function()
  local OLD = { name = "anthropic", path = "", model = "claude-3-5-haiku-20241022" }

  for _, stream in ipairs { false, true } do
    it("comes as the arguments of a tool, " .. (stream and "streamed" or "whole"), function()
      local result = ask(OLD, { tool_calls = { { name = "answer", arguments = { score = 7 } } } }, { stream = stream })
      assert.same({ "ok", { score = 7 } }, { result.status, result.response.parsed })
      result = ask(OLD, { tool_calls = { { name = "answer", arguments = { answer = { 7 } } } } },
        { stream = stream, schema = { type = "array" } })
      assert.same({ "ok", { 7 } }, { result.status, result.response.parsed })
    end)

    it("is mended, " .. (stream and "streamed" or "whole"), function()
      local script, lengths = in_turn { { tool_calls = { { name = "answer", arguments = { score = 70 } } } },
        { tool_calls = { { name = "answer", arguments = { score = 7 } } } } }
      local result = ask(OLD, script, { stream = stream })
      assert.same({ "ok", { score = 7 }, { 1, 3 } }, { result.status, result.response.parsed, lengths })
    end)
  end

  it("is told in the prompt where only objects have one", function()
    local seen
    local result = ask(ADAPTERS[1], function(request)
      seen = request
      return "So: [7]"
    end, { schema = { type = "array", items = { type = "integer" } } })
    assert.same({ "ok", { 7 } }, { result.status, result.response.parsed })
    assert.is_nil(seen.schema)
    assert.matches("must fit this JSON Schema", seen.messages[#seen.messages].content)
  end)
end)
