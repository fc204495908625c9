local json = require "curia.json"
local program = require "spec.cli.program"

describe("curia estimate", function()
  it("tells calls, tokens and dollars, and asks nobody", function()
    local code, out = program.run({ "estimate", "panel", "Should", "we", "ship?" },
      { env = { OPENAI_API_KEY = "sk-estimate-0123456789", OPENAI_BASE_URL = "http://127.0.0.1:9" } })
    assert.equal(0, code)
    assert.matches("^panel: 4 calls, at most 7 attempts\n  independent_analysis: 3 calls\n  synthesis: 1 call\n", out)
    assert.matches("\nopenai/[%w%-.]+: 3 calls, [%d,]+ to [%d,]+ tokens in, 3 to 3,072 out, %$[%d.]+ to %$[%d.]+\n", out)
    assert.matches("\nin all: [%d,]+ to [%d,]+ tokens, %$[%d.]+ to %$[%d.]+\n$", out)
  end)

  it("needs no question, and grows with it", function()
    local _, none = program.run { "estimate", "panel", "--json" }
    local _, long = program.run { "estimate", "panel", ("word "):rep(200), "--json" }
    none, long = json.decode(none), json.decode(long)
    assert.equal(4, none.calls.max)
    assert.is_true(long.tokens.min >= none.tokens.min + 1000)
  end)

  it("says what it cannot know", function()
    local code, out = program.run { "estimate", "free_form" }
    assert.equal(0, code)
    assert.matches("^free_form: at least 0 calls\n", out)
    assert.matches("not known: the council is a function and asks as it likes\n", out)
  end)

  it("tells the faults of a council that is not valid", function()
    local path = program.file 'council "bad" { member "a" { temprature = 1 }, round "peer_review" {} }'
    local code, _, err = program.run { "estimate", path }
    os.remove(path)
    assert.equal(1, code)
    assert.truthy(err:find("did you mean 'temperature'?", 1, true))
  end)

  it("says what is wrong with its arguments", function()
    assert.equal(64, (program.run { "estimate" }))
    assert.equal(64, (program.run { "estimate", "nowhere" }))
    assert.equal(64, (program.run { "estimate", "panel", "-i", "/nowhere.json" }))
  end)
end)
