local mock = require "curia.mock"
local program = require "spec.cli.program"
local programs = require "spec.recovery.program"
local support = require "spec.recovery.support"
local uv = require "luv"

local place

local TWO_ROUNDS = [[
return council "slow" {
  member "a" { provider = "openai", model = "m" }, member "b" { provider = "openai", model = "m" },
  round "independent_analysis" {}, round "critique" {}, chair { provider = "openai", model = "m" },
}]]

before_each(function() place = programs.place() end)
after_each(function() place.close() end)

describe("curia resume", function()
  it("goes on with a run whose process was killed, and then has nothing to go on with", function()
    support.leave_behind(place.url)
    local code, out, err = place.run("resume", "left-1", "-q")
    assert.same({ 0, "[offline]" }, { code, out:match "%S+" }, err)
    code, out, err = place.run("resume", "left-1")
    assert.same({ 1, "" }, { code, out })
    assert.matches("run left%-1 has ended: completed", err)
  end)

  it("goes on with a run that was told to end, and pays for no answer twice", function()
    local server = assert(mock.start { script = function() return { content = "Yes.", delay_ms = 200 } end })
    local env = { CURIA_STORE = place.url, OPENAI_BASE_URL = server.url .. "/v1", OPENAI_API_KEY = "any" }
    local file = program.file(TWO_ROUNDS)
    local code, _, err = program.run({ "run", "--durable", file, "Ship?" }, { env = env, meanwhile = function(child)
      program.wait_for(child, "round 2")
      uv.kill(child.pid, "sigterm")
    end })
    os.remove(file)
    assert.equal(143, code)
    assert.matches("was let go.*curia resume %S+ goes on with it\n$", err)
    local before = #server:requests()
    code = program.run({ "resume", "last" }, { env = env })
    local after = #server:requests()
    server:close()
    assert.same({ 0, 4, 5 }, { code, before, after })
  end)

  it("needs a run", function()
    local code, _, err = place.run "resume"
    assert.equal(64, code)
    assert.matches("which run", err)
    code, _, err = place.run("resume", "nothing")
    assert.equal(1, code)
    assert.matches("nothing", err)
  end)
end)
