local dsl = require "curia.language.dsl"
local mermaid = require "curia.diagram.mermaid"
local support = dofile "spec/diagram/support.lua"

describe("curia.diagram.mermaid", function()
  local config

  before_each(function() config = support.config() end)

  it("draws a flowchart: a box for each round, the members in it", function()
    local council = dsl.council "c" { profile = "plain", dsl.member "a" {}, dsl.member "b" { model = "one/x" },
      dsl.round "think" {}, dsl.chair {} }
    assert.equal([[
flowchart TD
  i1(["question"])
  subgraph r2["1 think"]
    direction LR
    m3["a<br/>profile plain"]
    m4["b<br/>one/x"]
  end
  i1 --> r2
  subgraph r5["2 synthesis"]
    direction LR
    c6(["chair<br/>profile plain"])
  end
  r2 --> r5
  o7(["answer"])
  r5 --> o7
]], mermaid.draw(council:graph(config)))
  end)

  it("draws routers, tools, rounds in rounds and sub-councils", function()
    local text = mermaid.draw(support.council():graph(config))
    for _, part in ipairs { '{"router"}', " -. chooses .-> r", '[["c<br/>council experts"]]', 'subgraph c%d+["council experts"]',
      '[/"calc"/]', " -. uses .-> t", " -. asks .-> c" } do
      local pattern = part:gsub("[%[%]%.%-%(%)]", "%%%0"):gsub("%%%%d%+", "%%d+")
      assert.matches(pattern, text)
    end
    assert.matches('subgraph r%d+%["3 again<br/>repeated, at most 4 times"%]\n    direction LR\n    subgraph r%d+%["1 think"%]', text)
    assert.equal(1, select(2, text:gsub('"search"', "")))
    assert.equal(text, mermaid.draw(support.council():graph(config)))
  end)

  it("lets no text leave its place", function()
    for text, expected in pairs {
      ['a"b'] = "a#34;b", ["a\nb\tc"] = "a b c", ["[x]"] = "#91;x#93;", ["#35;"] = "#35;35#59;", ["%%{init}"] = "#37;#37;#123;init#125;",
      ["<br>"] = "#60;br#62;", ["`x`"] = "#96;x#96;", ["1. x"] = "1#46; x", ["- x"] = "#45; x", ["_x_"] = "#95;x#95;", ["a_b_c"] = "a_b_c",
      [""] = "-", ["\27[2J"] = "#91;2J", ["\xff"] = "\u{FFFD}", ["gpt-5, (new)!"] = "gpt-5, (new)!",
    } do
      assert.equal(expected, mermaid.escape(text))
    end
    assert.equal(("x"):rep(59) .. "…", mermaid.escape(("x"):rep(99)))
    assert.equal("xxxx…", mermaid.escape(("x"):rep(99), 5))
  end)
end)
