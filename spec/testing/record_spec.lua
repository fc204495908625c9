local curia = require "curia"
local helper = require "spec.helper"
local mock = require "curia.mock"
local record = require "curia.testing.record".record
local replay = require "curia.testing.replay".replay
local system = require "curia.core.system"
local traffic = require "curia.testing.traffic"

local KEY = "sk-live-recorded-0123456789"

local server, path

-- All providers that have a protocol of their own, at the mock.
local MODELS = { openai = "openai/gpt-5-mini", anthropic = "anthropic/claude-sonnet-4-6", gemini = "gemini/gemini-2.5-flash",
  openrouter = "openrouter/openai/gpt-5-mini", ollama = "ollama/llama3.2" }

local VARIABLES = { OPENAI_API_KEY = KEY, ANTHROPIC_API_KEY = KEY, GEMINI_API_KEY = KEY, OPENROUTER_API_KEY = KEY }

local BASES = { openai = "/v1", anthropic = "", gemini = "/v1beta", openrouter = "/api/v1", ollama = "" }

local SCRIPT = { rules = {
  { match = { contains = "stream" }, answer = { content = "one two three", pieces = 3, chunk_delay_ms = 5 } },
  { match = { contains = "fail" }, answer = { error = { status = 400, message = "bad key " .. KEY } } },
}, default = "an answer" }

-- Calls `fn` as a task while a mock stands in for the providers.
local function with_mock(fn)
  path, server = os.tmpname(), assert(mock.start { script = SCRIPT })
  local entries = {}
  for name, base in pairs(BASES) do entries[name] = { base_url = server.url .. base } end
  curia.config { providers = entries }
  for name, value in pairs(VARIABLES) do system.setenv(name, value) end
  local ok, err = pcall(helper.run, fn)
  server:close()
  for name in pairs(VARIABLES) do system.setenv(name, nil) end
  os.remove(path)
  if not ok then error(err, 0) end
end

local function council(provider, stream)
  return curia.council "c" {
    retry = { attempts = 1 }, curia.member "a" { model = MODELS[provider], stream = stream },
    curia.round "independent_analysis" {},
  }
end

local function ask(provider, question, stream)
  local result = curia.run(council(provider, stream), question)
  return result.rounds[1].results.a
end

local function text_of_file()
  local file = assert(io.open(path))
  local text = file:read "a"
  file:close()
  return text
end

describe("recorded traffic", function()
  for provider in pairs(MODELS) do
    it("of " .. provider .. " is replayed without it, streamed or not, and holds no key", function()
      with_mock(function()
        local asked = record(path, function()
          return { ask(provider, "Why?"), ask(provider, "stream?", true) }
        end)
        assert.same({ "ok", "ok" }, { asked[1].status, asked[2].status }, tostring(asked[1].error))
        assert.is_nil(text_of_file():find("recorded-0123456789", 1, true))
        local before = server:stats().requests
        local replayed = replay(path, function() return { ask(provider, "Why?"), ask(provider, "stream?", true) } end)
        for i = 1, 2 do assert.equal(asked[i].response.content, replayed[i].response.content) end
        assert.same(asked[1].response.usage, replayed[1].response.usage)
        assert.equal(before, server:stats().requests)
      end)
    end)
  end

  it("keeps an error as it came, without what it echoes", function()
    with_mock(function()
      local failed = record(path, function() return ask("openai", "fail") end)
      local again = replay(path, function() return ask("openai", "fail") end)
      assert.same({ "error", failed.error.kind }, { again.status, again.error.kind })
      assert.is_nil(text_of_file():find(KEY, 1, true))
    end)
  end)

  it("answers equal requests in the order of their recording", function()
    with_mock(function()
      record(path, function() ask("openai", "Why?") end)
      local exchanges = assert(traffic.read(path))
      exchanges[2] = exchanges[1]
      assert(traffic.write(path, { exchanges[1], exchanges[1] }))
      replay(path, function()
        assert.equal("an answer", ask("openai", "Why?").response.content)
        assert.equal("an answer", ask("openai", "Why?").response.content)
      end)
      local ok, err = pcall(replay, path, function() for _ = 1, 3 do ask("openai", "Why?") end end)
      assert.is_false(ok)
      assert.matches("asked more often than the 2 times that were recorded", tostring(err))
    end)
  end)

  it("names the nearest where a request was not recorded", function()
    with_mock(function()
      record(path, function() ask("openai", "Why?") end)
      local ok, err = pcall(replay, path, function() ask("openai", "Why not?") end)
      assert.is_false(ok)
      assert.equal("replay_mismatch", err.kind)
      assert.matches("no recorded answer to POST .* of openai; the nearest recorded request differs:", err.message)
      assert.matches('"Why not%?" instead of "Why%?"', err.message)
    end)
  end)

  it("gives the providers back, whatever happens", function()
    with_mock(function()
      local ok, err = pcall(record, path, function() error "broken" end)
      assert.is_false(ok)
      assert.matches("broken", tostring(err))
      assert.equal("ok", ask("openai", "Why?").status)
      assert.error_matches(function() replay("/nonexistent", print) end, "No such file")
      assert.error_matches(function() replay(path, print, { timng = true }) end, "did you mean 'timing'")
    end)
  end)
end)
