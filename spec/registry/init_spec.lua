local registries = require "curia.registry"

describe("curia.registry", function()
  local registry

  before_each(function() registry = registries.new() end)

  it("gives back what was registered", function()
    local profile = { model = "m" }
    assert.is_true(registry:register("profile", "x", profile))
    assert.equal(profile, registry:lookup("profile", "x"))
    assert.is_nil(registry:lookup("profile", "y"))
    assert.is_nil(registry:lookup("provider", "x"))
    assert.is_nil(registry:lookup("profile", nil))
  end)

  it("lets run time win over the configuration", function()
    registry:configure("profile", { x = { model = "configured" }, y = { model = "other" } })
    registry:register("profile", "x", { model = "registered" })
    assert.equal("registered", registry:lookup("profile", "x").model)
    assert.is_true(registry:unregister("profile", "x"))
    assert.equal("configured", registry:lookup("profile", "x").model)
    assert.is_false(registry:unregister("profile", "x"))
  end)

  it("lists the names of both tiers, sorted and once", function()
    registry:configure("round", { b = {}, c = {} })
    registry:register("round", "c", {})
    registry:register("round", "a", {})
    assert.same({ "a", "b", "c" }, registry:list("round"))
    assert.same({}, registry:list("tool"))
  end)

  it("counts changes", function()
    local before = registry.generation
    registry:register("round", "a", {})
    assert.is_true(registry.generation > before)
    before = registry.generation
    registry:unregister("round", "never registered")
    registry:lookup("round", "a")
    assert.equal(before, registry.generation)
  end)

  it("resolves functions in modules when they are looked up", function()
    package.preload["registry_spec_module"] = function() return { upper = string.upper } end
    registry:register("function", "upper", { module = "registry_spec_module", name = "upper" })
    registry:register("function", "lower", { module = "registry_spec_module", name = "lower" })
    registry:register("function", "gone", { module = "registry_spec_gone", name = "x" })
    assert.equal(string.upper, registry:lookup("function", "upper"))
    local nothing, message = registry:lookup("function", "lower")
    assert.is_nil(nothing)
    assert.equal("the function 'lower' cannot be loaded: module 'registry_spec_module' has no function 'lower'", message)
    assert.matches("the function 'gone' cannot be loaded: module 'registry_spec_gone' not found",
      select(2, registry:lookup("function", "gone")))
    package.preload["registry_spec_module"], package.loaded["registry_spec_module"] = nil, nil
  end)

  it("resolves rounds and tools in modules too, and checks what they are", function()
    local round = { build = print }
    package.preload["registry_spec_rounds"] = function() return { think = round, wrong = 7 } end
    registry:register("round", "think", { module = "registry_spec_rounds", name = "think" })
    registry:register("tool", "wrong", { module = "registry_spec_rounds", name = "wrong" })
    registry:register("profile", "plain", { module = "x", name = "y" })
    assert.equal(round, registry:lookup("round", "think"))
    assert.matches("has no tool 'wrong'", select(2, registry:lookup("tool", "wrong")))
    assert.same({ module = "x", name = "y" }, registry:lookup("profile", "plain"))
    package.preload["registry_spec_rounds"], package.loaded["registry_spec_rounds"] = nil, nil
  end)

  it("puts what is shared between this process's own and the configuration", function()
    registry:configure("profile", { x = { model = "configured" }, y = { model = "configured" } })
    registry:share { profile = { x = { model = "shared" }, z = { model = "shared" } } }
    assert.equal("shared", registry:lookup("profile", "x").model)
    assert.equal("configured", registry:lookup("profile", "y").model)
    assert.same({ "x", "y", "z" }, registry:list "profile")
    assert.same({}, registry:list "round")
    registry:register("profile", "x", { model = "own" })
    assert.equal("own", registry:lookup("profile", "x").model)
    registry:reset()
    assert.equal("shared", registry:lookup("profile", "x").model)
    local before = registry.generation
    registry:share {}
    assert.is_true(registry.generation > before)
    assert.equal("configured", registry:lookup("profile", "x").model)
  end)

  it("says why a shared value cannot be used, and does not fall back on the configuration", function()
    registry:configure("profile", { x = { model = "configured" } })
    registry:share { profile = { x = registries.refusal "of a newer version" } }
    local value, message = registry:lookup("profile", "x")
    assert.is_nil(value)
    assert.equal("of a newer version", message)
  end)

  it("raises for misuse, naming the nearest kind and the caller's line", function()
    assert.error_matches(function() registry:register("profil", "x", {}) end,
      "bad argument #1.*did you mean 'profile'")
    assert.matches("init_spec.lua:%d+: ", select(2, pcall(function() registry:register("profil", "x", {}) end)))
    assert.error_matches(function() registry:lookup("toole", "x") end, "did you mean 'tool'")
    assert.error_matches(function() registry:list("x") end, "no registry kind 'x'")
    assert.error_matches(function() registry:unregister(nil, "x") end, "no registry kind 'nil'")
    assert.error_matches(function() registry:register("tool", "", {}) end, "bad argument #2")
    assert.error_matches(function() registry:register("tool", "x", print) end, "a tool cannot be a function")
    assert.error_matches(function() registry:register("rule", "x", {}) end, "{module =, name =}")
    assert.error_matches(function() registry:register("rule", "x") end, "a rule cannot be a nil")
  end)

  it("has every kind of the specification", function()
    local kinds = {}
    for _, kind in ipairs(registries.kinds) do kinds[kind] = true end
    for _, kind in ipairs { "profile", "tool", "schema", "router", "round", "rule", "confidence", "sub_council",
      "input_mapper", "council", "provider", "workflow", "function" } do
      assert.is_true(kinds[kind], kind)
      assert.same({}, registry:list(kind))
    end
  end)

  it("keeps registries apart, and one for everybody", function()
    registry:register("tool", "mine", {})
    assert.is_nil(registries.new():lookup("tool", "mine"))
    assert.equal(registries.shared(), registries.shared())
  end)
end)
