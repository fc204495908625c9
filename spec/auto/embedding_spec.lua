local A = require "spec.auto.support"

local VECTORS = { ["questions of law"] = { 1, 0 }, ["questions of code"] = { 0, 1 }, ["Is it legal?"] = { 0.9, 0.1 },
  ["What?"] = { -1, -1 } }

local function catalog()
  return { { council = A.named "law", desc = "questions of law" }, { council = A.named "code", desc = "questions of code" } }
end

local function run(question, more)
  local asked = {}
  local body = { strategy = "embedding", catalog = catalog(), embedder = function(texts)
    local vectors = {}
    for i, text in ipairs(texts) do vectors[i], asked[#asked + 1] = VECTORS[text], text end
    return vectors
  end }
  for name, value in pairs(more or {}) do body[name] = value end
  return A.run(body, question), asked
end

describe("strategy embedding", function()
  it("takes the nearest description, and tells how near it is", function()
    local result = run "Is it legal?"
    assert.same({ "law", "law", "embedding" }, A.choice(result))
    assert.near(0.994, result.metadata.auto.score, 0.001)
  end)

  it("takes none that is too far", function()
    assert.equal("no_match", run("What?").errors[1].code)
    assert.equal("no_match", run("Is it legal?", { strategy = { "embedding", threshold = 0.999 } }).errors[1].code)
  end)

  it("does not ask for vectors that are given", function()
    local list = catalog()
    list[1].vector, list[2].vector = { 1, 0 }, { 0, 1 }
    local result, asked = run("Is it legal?", { catalog = list })
    assert.equal("law", A.choice(result)[1])
    assert.same({ "Is it legal?" }, asked)
  end)

  it("chooses nothing where the embedder fails", function()
    for _, embedder in ipairs { function() error "down" end, function() return {} end,
      { provider = "anthropic", model = "m" }, { provider = "no such", model = "m" } } do
      local result = run("Is it legal?", { embedder = embedder })
      assert.equal("no_match", result.errors[1].code)
      assert.matches("no embeddings", result.errors[1].message)
    end
  end)
end)
