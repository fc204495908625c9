local block = require "curia.diagram.block"

describe("curia.diagram.block", function()
  it("puts lines into the middle, wide characters measured", function()
    assert.equal("三つ\n abc\n", block.render(block.text { "三つ", " abc" }))
    assert.equal(" a\nbcd\n", block.render(block.text { "a", "bcd" }))
    assert.equal(4, block.text({ "三つ", "a" }).columns)
  end)

  it("frames", function()
    assert.equal("+---+\n| a |\n+---+\n", block.render(block.frame(block.text { "a" })))
    assert.equal("+- title -+\n|    a    |\n|         |\n+---------+\n",
      block.render(block.frame(block.text { "a" }, { title = "title", height = 2 })))
    assert.equal(24, block.frame(block.text { "a" }, { columns = 20 }).columns)
    assert.equal("+--+\n+--+\n", block.render(block.frame(block.text {})))
  end)

  it("stacks", function()
    assert.equal(" a\nbcd\n", block.render(block.stack { block.text { "a" }, block.text { "bcd" } }))
    assert.same({ columns = 0 }, block.stack {})
  end)

  it("sets side by side, in rows where it must", function()
    local a, b, c = block.text { "a", "a" }, block.text { "b" }, block.text { "c" }
    assert.equal("a  b  c\na\n", block.render(block.beside({ a, b, c }, 7)))
    assert.equal("a  b\na\n c\n", block.render(block.beside({ a, b, c }, 6)))
    assert.equal("wider\n", block.render(block.beside({ block.text { "wider" } }, 2)))
  end)
end)
