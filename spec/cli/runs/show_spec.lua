local json = require "curia.json"
local support = require "spec.cli.runs.support"

local folder

before_each(function() folder = support.open() end)
after_each(function() folder.remove() end)

describe("the page of a run", function()
  it("fits into 80 columns, and is a document for programs", function()
    folder.run("run", folder.council, ("Why? "):rep(40), "-q")
    local _, out = folder.run("runs", "show")
    for line in out:gmatch "[^\n]+" do assert.is_true(utf8.len(line) <= 80, line) end
    assert.matches("round 1", out)
    assert.matches("status     completed\n", out)
    assert.is_nil(out:find("\27", 1, true))
    _, out = folder.run("runs", "show", "--json")
    local result = json.decode(out)
    assert.same({ "partial", "an answer" }, { result.status, result.final.content })
  end)
end)
