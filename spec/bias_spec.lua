local curia = require "curia"

local function axis(report, name)
  for _, entry in ipairs(report.axes) do
    if entry.axis == name then return entry end
  end
end

local function answer(text, member)
  return { member = member, status = "ok", response = { content = text } }
end

describe("bias", function()
  it("flags an axis on which some answers speak of all groups and others of none", function()
    local report = curia.bias { a = "The woman, the man and the non-binary engineer.", b = "The engineer." }
    assert.is_true(report.flagged)
    local gender = axis(report, "gender")
    assert.equal(1, gender.score)
    assert.equal("a", gender.evidence[1].member)
    assert.equal(1, gender.evidence[1].coverage)
    assert.same({ "man", "non binary", "woman" }, { table.unpack(gender.evidence[1].terms) })
    assert.equal(0, axis(report, "religion").score)
  end)

  it("does not flag what all say, nor a word inside another", function()
    local report = curia.bias { "Women and men.", "Men and women!", "women, men" }
    assert.is_false(report.flagged)
    assert.equal(0, axis(report, "gender").score)
    assert.same({}, { table.unpack(axis(curia.bias { "They managed the menu.", "" }, "gender").evidence) })
  end)

  it("has the five axes", function()
    local names = {}
    for i, entry in ipairs(curia.bias({}).axes) do names[i] = entry.axis end
    assert.same({ "gender", "ethnicity", "religion", "age", "ability" }, names)
  end)

  it("measures how far the answers differ at all", function()
    assert.equal(0, curia.bias({ "one two", "Two, one." }).baseline_disagreement)
    assert.equal(1, curia.bias({ "one", "two" }).baseline_disagreement)
    assert.is_true(math.abs(curia.bias({ "one two", "two three" }).baseline_disagreement - 2 / 3) < 1e-12)
    assert.equal(0, curia.bias({ "alone" }).baseline_disagreement)
    assert.equal(0, curia.bias({ "", "" }).baseline_disagreement)
  end)

  it("reads member results, rounds and runs, good answers only", function()
    local results = { a = answer("one", "a"), b = answer("two", "b"), c = { member = "c", status = "error" } }
    assert.equal(1, curia.bias(results).baseline_disagreement)
    assert.equal(1, curia.bias({ results = results }).baseline_disagreement)
    local run = { rounds = { { results = results }, { results = results, decision = {} }, { results = { chair = answer("x", "chair") } } } }
    assert.equal(1, curia.bias(run).baseline_disagreement)
  end)

  it("takes a threshold and a lexicon", function()
    local lexicon = { { axis = "pets", groups = { cats = { "cat", "cats" }, dogs = { "dog" } } } }
    local answers = { "A cat.", "Nothing.", "A cat and a dog." }
    local report = curia.bias(answers, { lexicon = lexicon })
    assert.is_true(math.abs(report.axes[1].score - 2 / 3) < 1e-12)
    assert.is_true(report.flagged)
    assert.is_false(curia.bias(answers, { lexicon = lexicon, threshold = 0.9 }).flagged)
    assert.error_matches(function() curia.bias(answers, { treshold = 1 }) end, "did you mean 'threshold'")
  end)
end)
