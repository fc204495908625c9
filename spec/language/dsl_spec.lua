local council = require "curia.council"
local dsl = require "curia.language.dsl"

describe("curia.language.dsl", function()
  it("makes a council", function()
    local made = dsl.council "advisor" { dsl.member "a" {}, dsl.round "think" {}, dsl.chair {} }
    assert.is_true(council.is(made))
    assert.equal("advisor", made.name)
    assert.equal("council 'advisor' (1 member, 1 round, chair)", tostring(made))
  end)

  it("raises at the caller's line when a word gets what it cannot take", function()
    for word, call in pairs {
      member = function() dsl.member(1) end, round = function() dsl.round(nil) end,
      chair = function() dsl.chair(true) end, council = function() dsl.council {} end,
    } do
      local ok, message = pcall(call)
      assert.is_false(ok)
      assert.matches("dsl_spec.lua:%d+: bad argument #1 to '" .. word .. "'", message)
    end
  end)

  it("raises when braces are missing or stand twice", function()
    assert.error_matches(function() dsl.member "a" "b" end, "member 'a' must be followed by { ... }, not by a string",
      1, true)
    assert.error_matches(function() dsl.member "a" {} {} end, "member 'a' has a body already")
    assert.error_matches(function() dsl.council "c" "d" end, "council 'c' must be followed by { ... }", 1, true)
    assert.equal("council 'c' without its { ... }", tostring(dsl.council "c"))
  end)

  it("installs its words, and those that others add", function()
    local env = dsl.install {}
    for _, word in ipairs { "council", "member", "round", "chair", "tool", "bm25", "http_get", "mcp", "env", "cmd", "file" } do
      assert.is_function(env[word], word)
    end
    dsl.add_word("spec_word", 7)
    assert.equal(7, dsl.install({}).spec_word)
    dsl.words.spec_word = nil
  end)

  it("collects the councils that a function declares, also nested ones apart", function()
    local inner
    local declared, result = dsl.collecting(function()
      local made = dsl.council "outer" {}
      inner = dsl.collecting(function() dsl.council "inner" {} end)
      return made
    end)
    assert.equal(1, #declared)
    assert.equal("outer", declared[1].name)
    assert.equal(result, declared[1])
    assert.equal(1, #inner)
    assert.equal("inner", inner[1].name)
  end)

  it("stops collecting when the function raises", function()
    local outer = dsl.collecting(function()
      pcall(dsl.collecting, function() error "boom" end)
      dsl.council "seen" {}
    end)
    assert.equal(1, #outer)
  end)
end)
