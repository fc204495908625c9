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

  it("finds every fault of workflows, with the lines of their steps", function()
    local path = program.file [[
council "mine" { member "a" { provider = "scripted", model = "m" }, round "independent_analysis" {} }
workflow "release" {
  step "draft" { council = "mnie", after = "sign", options = { sede = 5 } },
  step "check" {
    run = print, after = "drft", on_failure = "retyr" },
  step "sign" { approval = true, after = "draft" },
  step "judge" { council = council "inner" { member "b" { temprature = 1, provider = "scripted" } } },
}
workflow "good" { step "a" { council = "mine" }, step "b" { council = "panel" } }]]
    local code, out = program.run { "check", path }
    assert.equal(1, code)
    for line, what in pairs {
      [3] = "steps%[1%]%.council: unknown_council: .*did you mean 'mine'?",
      [4] = "steps%[2%]%.on_failure: out_of_range: .*did you mean 'retry'?",
      [2] = "steps: cycle: steps wait for each other: draft %-> sign %-> draft",
      [7] = "steps%[4%]%.council%.members%[1%]%.temprature: unknown_field: .*did you mean 'temperature'?",
    } do
      assert.matches("\n" .. path:gsub("%p", "%%%0") .. ":" .. line .. ": " .. what, "\n" .. out)
    end
    assert.truthy(out:find(path .. ":3: steps[1].options.sede: unknown_field: ", 1, true))
    assert.truthy(out:find(path .. ":4: steps[2].after[1]: unknown_step: step 'check' is after 'drft'", 1, true))
    assert.truthy(out:find(path .. "#good: ok: workflow, 2 steps\n", 1, true))
    code, out = program.run { "check", path .. "#good", "--json" }
    assert.equal(0, code)
    assert.same({ ok = true, councils = json.array(), workflows = { { file = path .. "#good", ok = true,
      workflow = "good", steps = 2 } } }, json.decode(out))
    local err = select(3, program.run { "check", path .. "#god" })
    os.remove(path)
    assert.matches("declares no 'god'; did you mean 'good'?", err)
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
