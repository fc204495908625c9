local export = require "curia.cli.runs.export"
local json = require "curia.json"
local support = require "spec.cli.runs.support"

local folder

before_each(function() folder = support.open() end)
after_each(function() folder.remove() end)

describe("an export", function()
  it("has a line for each run and each of its events, oldest first", function()
    folder.run("run", folder.council, "One?", "-q")
    folder.run("run", folder.council, "Two?", "-q")
    local _, out = folder.run("runs", "export")
    local asked, events = {}, 0
    for line in out:gmatch "[^\n]+" do
      local entry = json.decode(line)
      if entry.run then asked[#asked + 1] = entry.run.input.question else events = events + 1 end
    end
    assert.same({ "One?", "Two?" }, asked)
    assert.is_true(events > 10)
  end)

  it("may be a copy of the database, which replaces nothing", function()
    folder.run("run", folder.council, "One?", "-q")
    assert.equal(0, (folder.run("runs", "export", "--db", folder.path "copy.db")))
    local code, _, err = folder.run("runs", "export", "--db", folder.path "copy.db")
    assert.equal(1, code)
    assert.matches("is there already", err)
    local _, out = folder.run("runs", "list", "--config", "store=" .. folder.url "copy.db")
    assert.matches("One%?", out)
  end)

  it("leaves nothing behind where the copy could not be made", function()
    local path, full = folder.path "copy.db", { kind = "storage", code = "full", message = "the disk is full" }
    local store = { db = { backup = function()
      assert(io.open(path, "w")):close()
      return nil, full
    end } }
    assert.same({ n = 2, nil, full }, table.pack(export.database(store, path)))
    assert.is_nil(io.open(path))
  end)
end)
