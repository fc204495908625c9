local flow = require "curia.view.flow"
local width = require "curia.view.width"

local TEXT = "First line.\n\n日本語 is wide, and 🚀 flies; naïve words wrap as they come.\n- a list\n  of things\n"

describe("curia.view.flow", function()
  it("breaks a text that comes in pieces like the whole", function()
    for columns = 4, 24, 5 do
      local whole = width.wrap_all(TEXT, columns)
      if whole[#whole] == "" then whole[#whole] = nil end
      for size = 1, 9 do
        local flowing = flow.new(columns)
        for at = 1, #TEXT, size do flowing:feed(TEXT:sub(at, at + size - 1)) end
        assert.same(whole, flowing:tail(100))
      end
    end
  end)

  it("gives the last lines", function()
    local flowing = flow.new(10)
    flowing:feed("one\ntwo\nthree")
    assert.same({ "two", "three" }, flowing:tail(2))
    assert.same({}, flowing:tail(0))
  end)

  it("forgets what nobody will see", function()
    local flowing = flow.new(10, 5)
    for i = 1, 1000 do flowing:feed(i .. "\n") end
    assert.is_true(#flowing.lines < 20)
    assert.same({ "999", "1000" }, flowing:tail(2))
  end)

  it("cleans what it shows", function()
    local flowing = flow.new(20)
    flowing:feed("a\27")
    flowing:feed("[2Jb")
    assert.same({ "a[2Jb" }, flowing:tail(1))
  end)
end)
