local rule = require "curia.rules.support.rule"

local function made(more)
  local parts = {
    name = "spec", reads = "choice", options = { bonus = { type = "integer", default = 3 } },
    count = function(electorate, opts)
      local scores = {}
      for _, id in ipairs(electorate.options) do scores[id] = opts.bonus end
      return { scores = scores, margin = function() return 0 end, detail = { bonus = opts.bonus } }
    end,
  }
  for name, value in pairs(more or {}) do parts[name] = value end
  return rule.new(parts)
end

describe("making a rule", function()
  it("joins reading, counting and deciding, with the defaults of its options", function()
    local d = made()({ { choice = "a" }, { choice = "b" } })
    assert.same({ "spec", "a", true, 3 }, { d.rule, d.winner, d.tie, d.detail.bonus })
    assert.equal(7, made()({ { choice = "a" } }, { bonus = 7 }).detail.bonus)
  end)

  it("does not count where nobody says anything", function()
    local spec = made { count = function() error "counted" end }
    assert.is_nil(spec({ { choice = "a", weight = 0 }, { voter = "x" } }).winner)
  end)

  it("checks options that are its own, and leaves the given ones as they are", function()
    assert.error_matches(function() made()({}, { bonus = "much" }) end, "spec: bonus must be a whole number")
    assert.error_matches(function() made()({}, { bonnus = 1 }) end, "did you mean 'bonus'")
    assert.error_matches(function() made() "a" end, "ballots are a list, not a string")
    local opts = {}
    made()({ { choice = "a" } }, opts)
    assert.same({}, opts)
  end)
end)
