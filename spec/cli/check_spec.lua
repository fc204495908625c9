local json = require "curia.json"
local program = require "spec.cli.program"

describe("curia check", function()
  it("says what a good council holds", function()
    local code, out = program.run { "check", "councils/llm_council.lua" }
    assert.same({ 0, "ok: 3 members, 3 rounds, chair\n" }, { code, out })
    assert.equal("ok: 4 members, free Lua, chair\n", select(2, program.run { "check", "free_form" }))
  end)

  it("finds every fault at once, with place, code and what was meant", function()
    local path = program.file [[
council "bad" {
  member "a" { temprature = 1, profile = "fsat" },
  round "peer_reveiw" {},
}]]
    local code, out = program.run { "check", path }
    os.remove(path)
    assert.equal(1, code)
    assert.truthy(out:find(path .. ": members[1].temprature: unknown_field: ", 1, true))
    assert.truthy(out:find("did you mean 'temperature'?", 1, true))
    assert.truthy(out:find("unknown_profile: ", 1, true))
    assert.truthy(out:find("did you mean 'peer_review'?", 1, true))
  end)

  it("names file and line of an error in Lua", function()
    local path = program.file('\n\ncouncil "x" {')
    local code, out, err = program.run { "check", path }
    os.remove(path)
    assert.same({ 1, "" }, { code, out })
    assert.truthy(err:find(path .. ":3:", 1, true))
  end)

  it("finds every fault of a council that is data", function()
    local path = program.file('{"name": "a", "memebrs": [], "members": [{"id": "m", "tools": [{}]}]}', ".json")
    local code, out = program.run { "check", path }
    os.remove(path)
    assert.equal(1, code)
    assert.truthy(out:find(path .. ": memebrs: unknown_field: ", 1, true))
    assert.truthy(out:find(path .. ": members[1].tools[1]: not_serializable: ", 1, true))
  end)

  it("writes for programs", function()
    local path = program.file 'council "bad" { members = 3 }'
    local code, out = program.run { "check", "panel", path, "--json" }
    os.remove(path)
    local document = json.decode(out)
    assert.equal(1, code)
    assert.is_false(document.ok)
    assert.same({ true, 3 }, { document.councils[1].ok, document.councils[1].members })
    assert.is_true(#document.councils[2].faults > 0)
  end)

  it("checks several", function()
    local code, out = program.run { "check", "panel", "critic" }
    assert.same({ 0, "panel: ok: 3 members, 2 rounds, chair\ncritic: ok: 3 members, 3 rounds, chair\n" }, { code, out })
  end)

  it("says what is wrong with its arguments", function()
    assert.equal(64, (program.run { "check" }))
    assert.equal(64, (program.run { "check", "nowhere" }))
  end)
end)
