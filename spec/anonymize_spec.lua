local anonymize = require "curia.anonymize"

describe("labels", function()
  it("are letters, then pairs of letters, and so on", function()
    local letters = {}
    for i, n in ipairs { 1, 2, 26, 27, 28, 52, 53, 702, 703 } do letters[i] = anonymize.letter(n) end
    assert.same({ "A", "B", "Z", "AA", "AB", "AZ", "BA", "ZZ", "AAA" }, letters)
  end)

  it("map both ways", function()
    local labels = anonymize.labels { "zoe", "ann" }
    assert.same({ "ann", "zoe" }, labels.order)
    assert.same({ ["Response A"] = "ann", ["Response B"] = "zoe" }, labels.label_to_id)
    assert.same({ ann = "Response A", zoe = "Response B" }, labels.id_to_label)
    assert.same({}, anonymize.labels({}).order)
  end)

  it("change nothing of what they are given", function()
    local ids = { "b", "a" }
    anonymize.labels(ids)
    anonymize.labels(ids, { order = "shuffle" })
    anonymize.labels(ids, { order = function(list)
      table.sort(list)
      return list
    end })
    assert.same({ "b", "a" }, ids)
  end)

  it("stand in the order that is asked for", function()
    local ids = { "b", "c", "a" }
    local function order(opts) return table.concat(anonymize.labels(ids, opts).order) end
    assert.equal("abc", order {})
    assert.equal("bca", order { order = "as_given" })
    assert.equal("cba", order { order = function() return { "c", "b", "a" } end })
    assert.equal("Text A", anonymize.labels(ids, { prefix = "Text " }).id_to_label.a)
    local numbers = { 0.99, 0.0 }
    assert.equal("bac", order { order = "shuffle", random = function() return table.remove(numbers, 1) end })
    assert.has_error(function() order { order = "random" } end)
  end)

  it("refuse an order that is none", function()
    for _, wrong in ipairs { { "a" }, { "a", "b", "b" }, { "a", "b", "c", "d" }, {} } do
      assert.has_error(function() anonymize.labels({ "a", "b", "c" }, { order = function() return wrong end }) end)
    end
    assert.has_error(function() anonymize.labels({ "a" }, { order = function() end }) end)
  end)
end)

describe("restoring", function()
  local labels = anonymize.labels { "a", "b", "c" }

  it("understands labels as models write them", function()
    for _, text in ipairs { "Response B", "response b", "RESPONSE B.", "**Response B**", ' "Response B": ', "B", "b", "(b)" } do
      assert.equal("b", anonymize.restore(labels, text), text)
    end
  end)

  it("takes nothing else for a label", function()
    for _, text in ipairs { "Response D", "Response", "", " ", "Bob", "Response BB", "b a", "!!", ("-"):rep(1e6) .. "b" } do
      assert.is_nil(anonymize.restore(labels, text), text:sub(1, 20))
    end
    assert.is_nil(anonymize.restore(labels, 2))
    assert.is_nil(anonymize.restore(labels, nil))
  end)

  it("works alone, as curia.anonymize", function()
    assert.equal(anonymize, require "curia".anonymize)
  end)
end)
