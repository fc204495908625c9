local dsl = require "curia.language.composition"
local loader = require "curia.language.loader"

local SOURCE = [[
council "panel" { member "a" { provider = "scripted", model = "m" }, round "independent_analysis" {} }
workflow "release" { step "draft" { council = "panel" } }
]]

describe("the words of workflows", function()
  it("are in scope of a file, whose workflows are collected beside its councils", function()
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write(SOURCE)
    file:close()
    local declared, returned = loader.evaluate(path)
    local council = loader.load(path)
    os.remove(path)
    assert.same({ "panel", "release" }, { declared[1].name, declared[2].name })
    assert.is_nil(returned)
    assert.equal("panel", council.name)
  end)

  it("tell what is not finished", function()
    assert.equal("workflow 'w' without its { ... }", tostring(dsl.words.workflow "w"))
    assert.equal("step 's'", tostring(dsl.words.step "s"))
  end)
end)
