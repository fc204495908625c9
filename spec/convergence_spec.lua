local convergence = require "curia.convergence"

local function round(texts)
  local results = {}
  for id, text in pairs(texts) do
    results[id] = text and { status = "ok", response = { content = text } } or { status = "error" }
  end
  return { results = results }
end

describe("the similarity of texts", function()
  it("is the share of their words in common", function()
    assert.equal(1, convergence.jaccard("The cat sat.", "sat THE cat"))
    assert.equal(0.5, convergence.jaccard("a b c", "b c d"))
    assert.equal(0, convergence.jaccard("a", "b"))
    assert.equal(1, convergence.jaccard("", "..."))
    assert.equal(1, convergence.jaccard("größe x", "x größe"))
  end)
end)

describe("answers are unchanged", function()
  local function unchanged(before, now, similarity)
    return convergence.unchanged(before and round(before), round(now), { similarity = similarity })
  end

  it("when everybody says almost the same again", function()
    assert.is_true(unchanged({ a = "one two three four five", b = "x" }, { a = "one two three four five six", b = "x" }))
    assert.is_false(unchanged({ a = "one two", b = "x" }, { a = "one two", b = "y" }))
    assert.is_true(unchanged({ a = "a b c" }, { a = "b c d" }, 0.5))
  end)

  it("when those that answered both times do, and there is one", function()
    assert.is_true(unchanged({ a = "x", b = false }, { a = "x", b = "y" }))
    assert.is_true(unchanged({ a = "x", b = "y" }, { a = "x", b = false }))
    assert.is_false(unchanged({ a = "x" }, { b = "x" }))
    assert.is_false(unchanged({ a = false }, { a = false }))
  end)

  it("never after the first iteration", function()
    assert.is_false(unchanged(nil, { a = "x" }))
  end)
end)
