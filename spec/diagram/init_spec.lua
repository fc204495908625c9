local council = require "curia.council"
local diagram = require "curia.diagram"
local dsl = require "curia.language.dsl"
local support = dofile "spec/diagram/support.lua"

describe("curia.diagram", function()
  local config, made

  before_each(function()
    config = support.config()
    made = dsl.council "c" { dsl.member "a" {}, dsl.round "think" {} }
  end)

  it("draws a council in two forms, Mermaid unless told otherwise", function()
    assert.matches("^flowchart TD\n", made:diagram(nil, config))
    assert.equal(made:diagram(nil, config), made:diagram("mermaid", config))
    assert.matches("%+%- 1 think ", made:diagram("ascii", config))
    assert.equal(diagram.draw(made:graph(config), "ascii"), made:diagram("ascii", config))
  end)

  it("draws sequences of councils and of events", function()
    assert.matches("^sequenceDiagram\n", diagram.sequence(made))
    assert.equal("sequenceDiagram\n", diagram.sequence({}, "mermaid"))
  end)

  it("raises for misuse, at the caller's line", function()
    local function refused(message, fn)
      local _, problem = pcall(fn)
      assert.matches("^spec/diagram/init_spec.lua:%d+: " .. message, problem)
    end
    refused("unknown form of a diagram 'asci'; did you mean 'ascii'", function() local _ = made:diagram "asci" end)
    refused("unknown form of a diagram 'ascii'", function() local _ = diagram.sequence(made, "ascii") end)
    refused("bad argument #1", function() local _ = diagram.sequence(7) end)
    assert.is_true(council.is(made))
  end)
end)
