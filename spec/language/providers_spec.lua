local providers = require "curia.language.providers"
local redact = require "curia.redact"
local secrets = require "curia.language.secrets"
local support = dofile "spec/language/support.lua"

describe("curia.language.providers", function()
  local config

  before_each(function() config = support.config() end)
  after_each(redact.reset)

  local function register(entry)
    entry.adapter = entry.adapter or { name = "fake" }
    config.registry:register("provider", "p", entry)
  end

  local function entry()
    return providers.entry("p", config.registry)
  end

  it("gives everybody the same entry until something changes", function()
    register { base_url = "http://x/v1/" }
    local first = entry()
    assert.equal("p", first.name)
    assert.equal("http://x/v1", first.base_url)
    assert.equal("fake", first.adapter.name)
    assert.equal(first, entry())
    config.registry:touch()
    assert.not_equal(first, entry())
  end)

  it("loads adapters by name", function()
    package.preload["curia.adapters.spec_adapter"] = function() return { name = "spec_adapter" } end
    register { adapter = "spec_adapter" }
    assert.equal("spec_adapter", entry().adapter.name)
    assert.equal("spec_adapter", entry().adapter_name)
    package.preload["curia.adapters.spec_adapter"], package.loaded["curia.adapters.spec_adapter"] = nil, nil
  end)

  it("says what is wrong with an entry", function()
    local function message(raw)
      config.registry:register("provider", "p", raw)
      local made, text = entry()
      assert.is_nil(made)
      return text
    end
    assert.matches("has no adapter", message {})
    assert.matches("unknown adapter 'opnai_chat'; did you mean 'openai_chat'?",
      message { adapter = "opnai_chat" }, 1, true)
    assert.matches("unknown adapter '../x'", message { adapter = "../x" }, 1, true)
    assert.matches("unknown field 'base_ulr' of provider 'p'; did you mean 'base_url'?",
      message { adapter = {}, base_ulr = "x" }, 1, true)
    local _, text = providers.entry("tow", config.registry)
    assert.equal("unknown provider 'tow'; did you mean 'two'?", text)
  end)

  it("lets a variable replace the address", function()
    register { base_url = "http://x", base_url_env = "CURIA_SPEC_URL" }
    assert.equal("http://x", entry().base_url)
    config.registry:touch()
    support.with_env({ CURIA_SPEC_URL = " http://y/v1/ " }, function()
      assert.equal("http://y/v1", entry().base_url)
      assert.is_nil(entry().base_url_env)
    end)
  end)

  it("reads every form of OLLAMA_HOST", function()
    local adapter = package.loaded["curia.adapters.ollama"]
    package.loaded["curia.adapters.ollama"] = { name = "ollama" }
    for host, url in pairs {
      box = "http://box:11434", ["box:99"] = "http://box:99", ["0.0.0.0"] = "http://127.0.0.1:11434",
      ["0.0.0.0:99"] = "http://127.0.0.1:99", ["https://box.example"] = "https://box.example",
      ["http://box:1/ollama/"] = "http://box:1/ollama", ["box/ollama"] = "http://box:11434/ollama",
    } do
      register { adapter = "ollama", base_url = host }
      assert.equal(url, entry().base_url)
    end
    package.loaded["curia.adapters.ollama"] = adapter
  end)

  it("wraps a key that was given as text, and marks it", function()
    register { api_key = "sk-given-as-text" }
    assert.equal("literal", entry().api_key.source)
    assert.equal("[secret]", redact.text "sk-given-as-text")
  end)

  it("hides secrets in headers and addresses", function()
    register {
      headers = { Authorization = "Bearer abcdefgh", plain = "ordinary" }, base_url = "http://me:pass-word-9@x",
    }
    entry()
    assert.equal("[secret] ordinary [secret]", redact.text "Bearer abcdefgh ordinary pass-word-9")
  end)

  it("tells which providers can be asked, and what the others need", function()
    register { api_key = secrets.env "CURIA_SPEC_KEY" }
    assert.is_false(providers.available("p", config.registry))
    assert.equal("CURIA_SPEC_KEY", providers.needs("p", config.registry))
    support.with_env({ CURIA_SPEC_KEY = "x" }, function()
      assert.is_true(providers.available("p", config.registry))
    end)
    register { base_url_env = "CURIA_SPEC_URL" }
    assert.is_false(providers.available("p", config.registry))
    assert.equal("CURIA_SPEC_URL", providers.needs("p", config.registry))
    register {}
    assert.is_true(providers.available("p", config.registry))
    assert.is_false(providers.available("nobody", config.registry))
  end)

  it("ships entries that follow the rules", function()
    local check, fields = require "curia.language.check", require "curia.language.fields"
    for name, raw in pairs(require "curia.data.providers") do
      local faults = check.faults()
      check.record(fields.provider, raw, name, name, faults)
      assert.is_nil(faults[1], name)
    end
  end)
end)
