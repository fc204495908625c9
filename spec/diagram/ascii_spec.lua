local ascii = require "curia.diagram.ascii"
local dsl = require "curia.language.dsl"
local support = dofile "spec/diagram/support.lua"
local width = require "curia.view.width"

describe("curia.diagram.ascii", function()
  local config

  before_each(function() config = support.config() end)

  it("draws a council from top to bottom, members side by side", function()
    local council = dsl.council "c" { profile = "plain", dsl.member "a" {}, dsl.member "b" { tools = { "calc" } },
      dsl.round "think" {}, dsl.chair {} }
    assert.equal([[
              +----------+
              | question |
              +----------+
                   |
                   v
+- 1 think ----------------------------+
| +---------------+  +---------------+ |
| |       a       |  |       b       | |
| | profile plain |  | profile plain | |
| |               |  |   uses calc   | |
| +---------------+  +---------------+ |
+--------------------------------------+
                   |
                   v
+- 2 synthesis ------------------------+
|          +---------------+           |
|          |     chair     |           |
|          | profile plain |           |
|          +---------------+           |
+--------------------------------------+
                   |
                   v
               +--------+
               | answer |
               +--------+
]], ascii.draw(council:graph(config)))
  end)

  it("draws everything that there is", function()
    local text = ascii.draw(support.council():graph(config))
    for _, part in ipairs { "1 think", "2 second look (review)", "3 again", "4 synthesis", "decides by borda",
      "router chooses who is asked", "repeated, at most 4 times", "uses search, calc", "council experts", "one/large",
      "council experts, which answers for c:", "answer" } do
      assert.is_truthy(text:find(part, 1, true), part)
    end
  end)

  it("stays within 80 columns, whatever the names are", function()
    local members = { profile = "plain", dsl.round "think" { name = ("round "):rep(20) } }
    for i = 1, 9 do members[#members + 1] = dsl.member(("三つの猫"):rep(i)) { role = ("r"):rep(90), tools = { ("t"):rep(90) } } end
    for line in ascii.draw(dsl.council "c" (members):graph(config)):gmatch "[^\n]+" do
      assert.is_true(width.columns(line) <= 80, line)
    end
  end)

  it("has straight edges", function()
    local drawn = {}
    for line in ascii.draw(support.council():graph(config)):gmatch "[^\n]+" do
      if line:find "^[|+]" then drawn[width.columns(line)] = true end
    end
    local widths = {}
    for columns in pairs(drawn) do widths[#widths + 1] = columns end
    assert.is_true(#widths <= 2) -- the council's and the sub-council's
  end)

  it("lets no name move the cursor", function()
    local council = dsl.council "c" { dsl.member "a\27[2J\nb" { role = "x\ty" }, dsl.round "think" {} }
    assert.is_nil(ascii.draw(council:graph(config)):find "[\27\t]")
  end)
end)
