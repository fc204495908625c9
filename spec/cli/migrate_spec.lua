local json = require "curia.json"
local support = require "spec.cli.runs.support"

local folder

before_each(function() folder = support.open() end)
after_each(function() folder.remove() end)

describe("curia migrate", function()
  it("takes the steps, says where the tables stand, and removes them when told twice", function()
    local code, _, err = folder.run "migrate"
    assert.equal(1, code)
    assert.matches("nothing is stored yet", err)
    assert.equal(0, (folder.run("migrate", "up")))
    local _, out = folder.run("migrate", "status", "--json")
    local status = json.decode(out)
    assert.equal(status.latest, status.current)
    code, _, err = folder.run("migrate", "down")
    assert.equal(1, code)
    assert.matches("%-%-yes", err)
    assert.equal(0, (folder.run("migrate", "down", "--yes")))
    _, out = folder.run "migrate"
    assert.matches("step 0 of %d+\n  missing: runs", out)
  end)

  it("is told when it is used wrongly", function()
    local code, _, err = folder.run("migrate", "upp")
    assert.equal(64, code)
    assert.matches("'up'", err)
    code, _, err = folder.run("migrate", "up", "down")
    assert.equal(64, code)
    assert.matches("one action at a time", err)
  end)
end)
