local colour = require "curia.view.colour"

describe("curia.view.colour", function()
  it("paints, or leaves as it is", function()
    assert.equal("\27[31mx\27[0m", colour.palette(true).red("x"))
    assert.equal("x", colour.palette(false).red("x"))
    assert.equal("", colour.palette(true).bold(""))
  end)

  it("takes sequences out", function()
    assert.equal("a b", colour.strip("\27[1ma\27[0m\27[12G b"))
  end)
end)
