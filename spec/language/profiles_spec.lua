local profiles = require "curia.language.profiles"
local support = dofile "spec/language/support.lua"

describe("curia.language.profiles", function()
  local config

  before_each(function()
    config = support.config {
      profiles = {
        warm = { temperature = 1, max_tokens = 100 },
        second = { provider = "two", model = "large", retry = { attempts = 5 } },
        slashed = { model = "two/vendor/large" },
      },
    }
  end)

  local function resolve(member, spec)
    member.id = member.id or "m"
    return profiles.resolve(member, spec or {}, config)
  end

  it("lets the later layer win, field by field", function()
    assert(config:set("call", { default_profile = "plain" }))
    local caps = resolve({ profile = "second", temperature = 0 }, { profile = "warm" })
    assert.same({
      provider = "two", model = "large", temperature = 0, max_tokens = 100, retry = { attempts = 5 },
    }, caps)
  end)

  it("takes the first choice that there is", function()
    assert.equal("small", resolve({}, { profile = "plain" }).model)
    assert(config:set("call", { default_profile = "second" }))
    assert.equal("large", resolve({}).model)
  end)

  it("splits provider/model only where the first part is a provider", function()
    local function pair(member, spec)
      local caps = resolve(member, spec)
      return { caps.provider, caps.model }
    end
    assert.same({ "two", "m" }, pair { model = "two/m" })
    assert.same({ "two", "vendor/m" }, pair { model = "two/vendor/m" })
    assert.same({ "one", "two/m" }, pair { provider = "one", model = "two/m" })
    assert.same({ "one", "vendor/m" }, pair({ model = "vendor/m" }, { profile = "plain" }))
    assert.same({ "two", "m" }, pair({ model = "two/m" }, { profile = "plain" }))
    assert.same({ "one", "m" }, pair({ model = "m" }, { profile = "plain" }))
    assert.same({ "two", "vendor/large" }, pair { profile = "slashed" })
  end)

  it("does not carry a model over to another provider", function()
    local caps, fault = resolve({ provider = "two" }, { profile = "plain" })
    assert.equal("two", caps.provider)
    assert.is_nil(caps.model)
    assert.equal("missing", fault.code)
    assert.equal("model", fault.field)
  end)

  it("names what is missing or not known", function()
    local _, fault = resolve {}
    assert.equal("missing", fault.code)
    assert.matches("member 'm' has neither a profile nor a provider and a model", fault.message)
    _, fault = resolve { model = "m" }
    assert.matches("names model 'm' but no provider", fault.message)
    _, fault = resolve { provider = "tow", model = "m" }
    assert.equal("unknown_provider", fault.code)
    assert.matches("did you mean 'two'", fault.message)
    _, fault = resolve { model = "tow/m" }
    assert.equal("unknown_provider", fault.code)
  end)

  it("asks nothing of members without a model", function()
    for _, member in ipairs { { run = print }, { council = "x" }, { elect = true } } do
      local _, fault = resolve(member)
      assert.is_nil(fault)
    end
  end)

  it("uses the provider's own model where none is named", function()
    assert.equal("scripted", resolve({ provider = "scripted" }).model)
  end)

  it("takes the first profile whose provider has a key", function()
    local none = { OPENAI_API_KEY = false, ANTHROPIC_API_KEY = false, GEMINI_API_KEY = false, GOOGLE_API_KEY = false,
      OPENROUTER_API_KEY = false, OLLAMA_HOST = false }
    local function provider_of(name, variables)
      local chosen, undecided
      for key, value in pairs(none) do
        if variables[key] == nil then variables[key] = value end
      end
      support.with_env(variables, function() chosen, undecided = profiles.profile(name, config.registry) end)
      return chosen.provider, undecided
    end
    for _, name in ipairs { "fast", "balanced", "deep" } do
      assert.equal("openai", (provider_of(name, { OPENAI_API_KEY = "k", ANTHROPIC_API_KEY = "k" })))
      assert.equal("anthropic", (provider_of(name, { ANTHROPIC_API_KEY = "k", GEMINI_API_KEY = "k" })))
      assert.equal("gemini", (provider_of(name, { GOOGLE_API_KEY = "k", OPENROUTER_API_KEY = "k" })))
      assert.equal("openrouter", (provider_of(name, { OPENROUTER_API_KEY = "k" })))
      assert.equal("ollama", (provider_of(name, { OLLAMA_HOST = "box" })))
      local provider, undecided = provider_of(name, {})
      assert.equal("openai", provider)
      assert.equal(5, #undecided)
    end
  end)

  it("does not wait for ever on profiles that name each other", function()
    config.registry:register("profile", "a", { first_of = { "b" } })
    config.registry:register("profile", "b", { first_of = { "a" } })
    assert.has_no.errors(function() profiles.profile("a", config.registry) end)
  end)

  it("merges the entries of a fallback over the member's capabilities", function()
    local caps = resolve { model = "one/small", temperature = 0.5 }
    assert.same({ provider = "two", model = "large", temperature = 0.5 },
      profiles.fallback({ model = "two/large" }, caps, config.registry))
    assert.same({ provider = "one", model = "tiny", temperature = 0 },
      profiles.fallback({ model = "tiny", temperature = 0 }, caps, config.registry))
  end)

  it("ships a profile of each size for each provider, and a local one", function()
    for _, provider in ipairs { "openai", "anthropic", "gemini", "openrouter" } do
      for _, size in ipairs { "fast", "balanced", "deep" } do
        local profile = profiles.profile(provider .. "." .. size, config.registry)
        assert.equal(provider, profile.provider)
        assert.is_string(profile.model)
      end
    end
    assert.equal("ollama", profiles.profile("local", config.registry).provider)
  end)
end)
