local curia = require "curia"
local errors = require "curia.errors"
local memory = require "curia.reliability.memory"
local reliability = require "curia.reliability"
local T = require "spec.engine.support"

local MEMORY = { store = "memory" }

describe("reliability", function()
  before_each(function() memory.forget() end)
  after_each(function()
    memory.forget()
    curia.config { reliability = false }
  end)

  it("is none without a store", function()
    assert.is_false(reliability.record("a", {}, true))
    assert.is_nil(reliability.score("a", {}))
    curia.config { reliability = "memory" }
    assert.is_false(reliability.record("a", {}, true, { store = false }))
    assert.is_nil(reliability.score("a", {}))
  end)

  it("follows the rule of succession, from the first record on", function()
    curia.config { reliability = "memory" }
    assert.is_nil(reliability.score("a", { topic = "law" }))
    assert.is_true(reliability.record("a", { topic = "law" }, true))
    assert.equal(2 / 3, reliability.score("a", { topic = "law" }))
    reliability.record("a", { topic = "law" }, true)
    reliability.record("a", { topic = "law" }, false)
    assert.equal(3 / 5, (reliability.score("a", { topic = "law" })))
    reliability.record("b", { topic = "law" }, false)
    assert.equal(1 / 3, (reliability.score("b", { topic = "law" })))
    assert.is_nil(reliability.score("a", { topic = "art" }))
  end)

  it("keeps buckets that do not depend on the order of keys, nor on how whole numbers are written", function()
    local keys = { "q", "w", "e", "r", "t", "y", "u", "i", "o", "p" }
    local one, other = {}, {}
    for i = 1, #keys do one[keys[i]] = { a = i, b = 1 } end
    for i = #keys, 1, -1 do other[keys[i]] = { b = 1.0, a = i + 0.0 } end
    reliability.record("a", one, true, MEMORY)
    assert.equal(2 / 3, reliability.score("a", other, MEMORY))
    reliability.record("a", nil, true, MEMORY)
    assert.equal(2 / 3, reliability.score("a", {}, MEMORY))
    assert.is_nil(reliability.score("a", { 1, 2 }, MEMORY))
  end)

  it("takes stores of your own", function()
    local told = {}
    local own = {
      record = function(...) told[#told + 1] = table.pack(...) return true end,
      score = function(member, bucket) return member == "a" and bucket == '{"n":1}' and 0.7 or nil end,
    }
    assert.is_true(reliability.record("a", { n = 1.0 }, false, { store = own }))
    assert.same({ "a", '{"n":1}', false, n = 3 }, told[1])
    assert.equal(0.7, reliability.score("a", { n = 1 }, { store = own }))
    curia.config { reliability = own }
    assert.equal(0.7, reliability.score("a", { n = 1 }))
    curia.config { reliability = { backend = "memory" } }
    assert.is_true(reliability.record("a", {}, true))
  end)

  it("gives nil and an error of the kind storage for a store that is down, and says so in the log", function()
    local stores = {
      { record = function() return nil, "gone" end, score = function() return nil, "gone" end },
      { record = function() error "gone" end, score = function() error "gone" end },
      { record = function() return nil, errors.new("storage", "gone") end, score = function() return nil, errors.new("storage", "gone") end },
    }
    local lines = T.logged(function()
      for _, store in ipairs(stores) do
        local recorded, err = reliability.record("a", {}, true, { store = store })
        assert.is_nil(recorded)
        assert.equal("storage", err.kind)
        local score
        score, err = reliability.score("a", {}, { store = store })
        assert.is_nil(score)
        assert.equal("storage", err.kind)
        assert.matches("gone", err.message)
      end
      local wild = { record = function() return true end, score = function() return 7 end }
      assert.equal("storage", select(2, reliability.score("a", {}, { store = wild })).kind)
    end)
    assert.equal(7, #lines)
    assert.matches("^error: storage: ", lines[1])
  end)

  it("never falls back in silence from a store that is not there", function()
    for _, store in ipairs { "redis", "memry", { backend = "redis" }, {}, true } do
      local recorded, err = reliability.record("a", {}, true, { store = store })
      assert.is_nil(recorded)
      assert.equal("storage", err.kind)
      assert.equal("storage", select(2, reliability.score("a", {}, { store = store })).kind)
    end
    assert.matches("did you mean 'memory'", select(2, reliability.score("a", {}, { store = "memry" })).message)
  end)

  it("gives the scores of several, and asks a store that is down only once", function()
    reliability.record("b", {}, true, MEMORY)
    assert.same({ b = 2 / 3 }, (reliability.scores({ "a", "b" }, {}, MEMORY)))
    local asked = 0
    local store = { record = function() return true end, score = function() asked = asked + 1 return nil, "gone" end }
    T.logged(function()
      local scores, err = reliability.scores({ "a", "b" }, {}, { store = store })
      assert.same({}, scores)
      assert.equal("storage", err.kind)
    end)
    assert.equal(1, asked)
  end)

  it("raises where it is misused", function()
    assert.error_matches(function() reliability.record(1, {}, true) end, "bad argument #1 to 'record'")
    assert.error_matches(function() reliability.record("a", { print }, true) end, "bad argument #2 to 'record'")
    assert.error_matches(function() reliability.record("a", {}, 1) end, "bad argument #3 to 'record'")
    assert.error_matches(function() reliability.score({}, {}) end, "bad argument #1 to 'score'")
    local cycle = {}
    cycle.cycle = cycle
    assert.error_matches(function() reliability.score("a", cycle) end, "bad argument #2 to 'score'")
  end)
end)
