local ties = require "curia.rules.support.ties"

describe("breaking ties", function()
  it("takes the first by default", function()
    local winner, how = ties.breaker {} { "a", "b" }
    assert.same({ "a", "first" }, { winner, how })
  end)

  it("asks the dice and functions once", function()
    local asked = 0
    local function count(value)
      return function()
        asked = asked + 1
        return value
      end
    end
    local pick = ties.breaker { tie_break = "random", random = count(0.99) }
    assert.same({ "c", "c" }, { (pick { "a", "b", "c" }), (pick { "a", "b", "c" }) })
    pick = ties.breaker { tie_break = count "b" }
    assert.same({ "b", "b" }, { (pick { "a", "b" }), (pick { "a", "b" }) })
    assert.equal(2, asked)
  end)

  it("leaves it to the chair", function()
    local winner, how = ties.breaker { tie_break = "chair" } { "a", "b" }
    assert.same({ nil, "chair" }, { winner, how })
  end)

  it("gives a function a list of its own and refuses what is not in it", function()
    local tied = { "a", "b" }
    assert.equal("a", (ties.breaker { tie_break = function(ids) return table.remove(ids, 1) end }(tied)))
    assert.same({ "a", "b" }, tied)
    assert.error_matches(function() ties.breaker { tie_break = function() return "z" end } { "a" } end, "'z', which is none of the tied")
  end)
end)
