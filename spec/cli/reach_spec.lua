local configuration = require "curia.config"
local helper = require "spec.helper"
local language = require "curia.language"
local reach = require "curia.cli.reach"
local system = require "curia.core.system"
local uv = require "luv"

local VARIABLES = {
  "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY", "OPENROUTER_API_KEY", "OLLAMA_HOST",
}

local ANSWER = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"

-- An Ollama that knows one request.
local function with_ollama(models, fn)
  local server = uv.new_tcp()
  server:bind("127.0.0.1", 0)
  server:listen(8, function()
    local client = uv.new_tcp()
    server:accept(client)
    client:read_start(function(_, data)
      if not data or client:is_closing() then return end
      client:write(ANSWER:format(#models, models), function() client:close() end)
    end)
  end)
  system.setenv("OLLAMA_HOST", "127.0.0.1:" .. server:getsockname().port)
  local ok, err = pcall(fn)
  server:close()
  if not ok then error(err, 0) end
end

local function look(text)
  return helper.run(function()
    local council = assert(language.load_text(text, "@test.lua"))
    local config = configuration.shared()
    return reach.look(assert(language.plan(council, config)), config)
  end)
end

local BY_PROFILE = [[
council "x" { profile = "fast", member "a" {}, member "b" { model = "openai/gpt-5-mini" },
  round "independent_analysis" {}, chair {} }]]
local ONLY_PROFILE = 'council "x" { profile = "fast", member "a" {}, round "independent_analysis" {} }'
local NO_MODEL = 'council "x" { member "a" { run = function() return "x" end }, round "independent_analysis" {} }'
local NAMED = 'council "x" { member "a" { model = "openai/gpt-5-mini" }, round "independent_analysis" {} }'

describe("curia.cli.reach", function()
  local before = {}

  before_each(function()
    for _, name in ipairs(VARIABLES) do
      before[name] = os.getenv(name)
      system.setenv(name, nil)
    end
    system.setenv("OLLAMA_HOST", "127.0.0.1:9")
    configuration.shared().registry:touch()
  end)

  after_each(function()
    for _, name in ipairs(VARIABLES) do system.setenv(name, before[name]) end
    configuration.shared().registry:touch()
  end)

  it("is content with a key", function()
    system.setenv("OPENAI_API_KEY", "sk-0123456789")
    assert.same({ ok = true }, look(BY_PROFILE))
    assert.same({ ok = true }, look(NAMED))
  end)

  it("is content with members that need no model", function()
    assert.same({ ok = true }, look(NO_MODEL))
  end)

  it("names every key that would do, once", function()
    local found = look(BY_PROFILE)
    assert.is_false(found.ok)
    assert.truthy(found.missing[#found.missing]:find("127.0.0.1:9 (where nobody answers)", 1, true))
    assert.truthy(table.concat(found.missing, "\n"):find("the key OPENAI_API_KEY", 1, true))
  end)

  it("lets an Ollama stand in for those that leave the choice, and only for them", function()
    with_ollama('{"models": [{"name": "qwen3:4b"}]}', function()
      configuration.shared().registry:touch()
      local found = look(BY_PROFILE)
      assert.is_true(found.ok)
      assert.same({ a = "ollama/qwen3:4b", chair = "ollama/qwen3:4b" }, found.models)
      assert.truthy(found.note:find("qwen3:4b", 1, true))
      assert.is_false(look(NAMED).ok)
    end)
  end)

  it("keeps the profile's model where the Ollama has it", function()
    with_ollama('{"models": [{"name": "other"}, {"name": "llama3.2:latest"}]}', function()
      configuration.shared().registry:touch()
      assert.same({ ok = true, models = {} }, look(ONLY_PROFILE))
    end)
  end)

  it("says so where the Ollama has no model", function()
    with_ollama('{"models": []}', function()
      configuration.shared().registry:touch()
      local found = look(BY_PROFILE)
      assert.is_false(found.ok)
      assert.truthy(found.missing[#found.missing]:find("ollama pull", 1, true))
    end)
  end)
end)
