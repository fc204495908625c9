local A = require "spec.auto.support"
local curia = require "curia"

local function catalog()
  return { { council = A.named "law", match = "(?i)contract" }, { council = A.named "code", match = "(?i)bug" } }
end

describe("auto", function()
  it("runs the council that its strategy chooses, and tells which and why", function()
    local result = A.run({ strategy = "rules", catalog = catalog() }, "Is this contract good?")
    assert.same({ "law", "law", "rules" }, A.choice(result))
    assert.equal("static", result.metadata.auto.kind)
    assert.is_number(result.metadata.auto.latency_ms)
    assert.equal("law", result.metadata.sub_result.council)
  end)

  it("takes a function, which gives an entry, an id or a council", function()
    local list, free = catalog(), A.named "free"
    local function by(fn) return A.run({ strategy = fn, catalog = list }) end
    assert.same({ "code", "code", "function" }, A.choice(by(function() return "code", "because" end)))
    assert.same({ "law", "law", "function" }, A.choice(by(function(_, entries) return entries[1] end)))
    assert.same({ "free", nil, "function" }, A.choice(by(function() return free end)))
    assert.equal("because", by(function() return "code", "because" end).metadata.auto.reason)
    assert.equal("no_match", by(function() return "cod" end).errors[1].code)
    assert.equal("script", by(function() error "oh" end).errors[1].kind)
  end)

  it("ends with an error where nothing fits, or asks the council kept for that", function()
    local result = A.run({ strategy = "rules", catalog = catalog() }, "Hello")
    assert.same({ "error", "validation", "no_match" }, { result.status, result.errors[1].kind, result.errors[1].code })
    local answered = A.run({ strategy = "rules", catalog = catalog(), on_no_match = A.named "general" }, "Hello")
    assert.same({ "general", nil, "rules" }, A.choice(answered))
    assert.matches("no entry's match fits", answered.metadata.auto.reason)
  end)

  it("chooses among the registered councils", function()
    curia.register("council", "zz_spec_law", A.named("zz_spec_law", "Questions of law."))
    local result = A.run { catalog = "registry", strategy = function(_, entries)
      for _, entry in ipairs(entries) do
        if entry.desc == "Questions of law." then return entry end
      end
    end }
    curia.unregister("council", "zz_spec_law")
    assert.same({ "zz_spec_law", "zz_spec_law", "function" }, A.choice(result))
    assert.equal("data", result.metadata.auto.kind)
  end)

  it("leaves out what has no key, where asked to", function()
    local needs_key = curia.council "keyed" { members = { { id = "m", provider = "spec_keyed", model = "m" } },
      rounds = { "independent_analysis" } }
    curia.config { providers = { spec_keyed = { adapter = "openai_chat", base_url = "http://127.0.0.1:9",
      api_key = curia.env "CURIA_SPEC_NO_SUCH_KEY" } } }
    local body = { strategy = function(_, entries) return entries[1] end, provider_check = true,
      catalog = { { council = needs_key }, { council = A.named "free" } } }
    assert.same({ "free", "free", "function" }, A.choice(A.run(body)))
  end)

  it("names what is wrong", function()
    local function wrong(body) return function() curia.auto "x"(body) end end
    assert.error_matches(wrong { catalog = {} }, "auto has no strategy")
    assert.error_matches(wrong { strategy = "rule", catalog = {} }, "did you mean 'rules'", 1, true)
    assert.error_matches(wrong { strategy = "rules" }, "strategy 'rules' has no catalog")
    assert.error_matches(wrong { strategy = "embedding", catalog = {} }, "has no embedder")
    assert.error_matches(wrong { strategy = { "cascade", { "cascade", "rules" } }, catalog = {} }, "cannot hold a cascade")
    assert.error_matches(wrong { strategy = "rules", catalog = { { counsil = 1 } } }, "did you mean 'council'", 1, true)
    assert.error_matches(function() curia.auto(1) end, "a name expected", 1, true)
  end)
end)
