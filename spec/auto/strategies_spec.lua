local A = require "spec.auto.support"

describe("a cascade", function()
  local list = { { council = A.named "law", match = "contract" }, { council = A.named "code", match = "bug" } }

  local function run(question, ...)
    return A.run({ strategy = { "cascade", ... }, catalog = list }, question)
  end

  it("tries its strategies in order; the first that chooses counts", function()
    local last = function() return "code", "the rest" end
    assert.same({ "law", "law", "rules" }, A.choice(run("a contract", "rules", last)))
    assert.same({ "code", "code", "function" }, A.choice(run("a poem", "rules", last)))
  end)

  it("tells why each of them chose nothing", function()
    local err = run("a poem", "rules", function() return nil, "no idea" end).errors[1]
    assert.matches("rules: no entry's match fits; function: no idea", err.message, 1, true)
  end)
end)
