local texts = require "curia.cli.new_texts"

describe("the texts of curia new", function()
  it("have every name filled in", function()
    for _, text in ipairs { texts.council "x", texts.config(), texts.spec "x", texts.next_steps "x.lua",
      texts.project_steps "x" } do
      assert.is_nil(text:find "@%u")
    end
    assert.truthy(texts.council("mine"):find('council "mine" {', 1, true))
  end)
end)
