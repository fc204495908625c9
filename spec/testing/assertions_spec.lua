local curia = require "curia"
local helper = require "spec.helper"
local testing = require "curia.testing"

local function council()
  local body = { members = {}, rounds = { { type = "independent_analysis" }, "vote" } }
  for i, id in ipairs { "analyst", "skeptic" } do body.members[i] = { id = id, provider = "openai", model = "m", retry = { attempts = 1 } } end
  return curia.council "pair" (body)
end

local function run(skeptic)
  local made = testing.script(council(), {
    analyst = { independent_analysis = "Ship it.", vote = { choice = "skeptic" } },
    skeptic = skeptic or { independent_analysis = "Wait.", vote = { choice = "analyst" } },
  })
  return helper.run(function()
    local capture = testing.capture()
    local _, err = curia.run(made, "Ship?", { subscribe = capture, seed = 1 })
    if not capture.run then error(tostring(err)) end
    return capture.run.outcome, capture, err
  end)
end

local function says(text, fn, ...)
  local ok, message = pcall(fn, ...)
  assert.is_false(ok)
  assert.truthy(message:find(text, 1, true), message)
  return message
end

describe("testing.assert_round_completed", function()
  it("compares what is said of members and of the decision", function()
    local result, capture = run()
    for _, source in ipairs { result, capture, capture.run } do
      local round = testing.assert_round_completed(source, "vote", { members = { analyst = "ok" }, decision = "analyst" })
      assert.equal("vote", round.name)
      testing.assert_round_completed(source, "independent_analysis",
        { members = { analyst = { status = "ok", content = "Ship it.", attempts = 1 }, skeptic = { contains = "ait" } } })
    end
  end)

  it("says what was there", function()
    local result = run()
    local message = says("round independent_analysis: member skeptic: content is 'Wait.', not a text with 'Ship'",
      testing.assert_round_completed, result, "independent_analysis", { members = { skeptic = { contains = "Ship" } } })
    assert.truthy(message:find("what was there: council pair: ok\n  round independent_analysis\n    analyst: ok\n    skeptic: ok\n"
      .. "  round vote\n    analyst: ok\n    skeptic: ok\n    decision: analyst", 1, true), message)
    says("round voet was not run; did you mean 'vote'?", testing.assert_round_completed, result, "voet")
    says("round vote: the decision's winner is 'analyst', not 'skeptic'", testing.assert_round_completed, result, "vote", { decision = "skeptic" })
    says("there is no member skeptik; did you mean 'skeptic'?", testing.assert_round_completed, result, "vote", { members = { skeptik = "ok" } })
    says("there is no decision", testing.assert_round_completed, result, "independent_analysis", { decision = "analyst" })
  end)

  it("refuses what it does not know, at the caller's line", function()
    local result = run()
    local message = says("unknown field 'membres'; did you mean 'members'?", testing.assert_round_completed, result, "vote", { membres = {} })
    assert.is_nil(message:find("assertions.lua", 1, true))
    says("unknown field 'contents'; did you mean 'content'?", testing.assert_round_completed, result, "vote", { members = { a = { contents = "x" } } })
    says("bad argument #1 to 'assert_member' (a result, or a capture of a run, expected)", testing.assert_member, nil, "a")
  end)
end)

describe("testing.assert_member", function()
  it("looks at a member's last result, or at that of a round", function()
    local result = run { independent_analysis = "Wait.", vote = { error = 401 } }
    assert.equal("error", testing.assert_member(result, "skeptic", "error").status)
    testing.assert_member(result, "skeptic", { round = "independent_analysis", content = "Wait." })
    says("round vote: member skeptic: status is 'error', not 'ok'", testing.assert_member, result, "skeptic")
    says("there is no result of member skeptics; did you mean 'skeptic'?", testing.assert_member, result, "skeptics")
    says("skeptic: error (auth: ", testing.assert_member, result, "analyst", { content = "no" })
  end)
end)

describe("testing.assert_decision", function()
  it("compares the winner, or fields", function()
    local result = run()
    assert.equal("analyst", testing.assert_decision(result, "analyst").winner)
    testing.assert_decision(result, { winner = "analyst" })
    says("the decision's winner is 'analyst', not 'skeptic'", testing.assert_decision, result, "skeptic")
  end)
end)

describe("testing.assert_no_failures", function()
  it("holds where all went well", function()
    local result, capture = run()
    assert.equal(result, testing.assert_no_failures(result))
    assert.equal(result, testing.assert_no_failures(capture))
  end)

  it("names who has failed, and why", function()
    says("round vote: member skeptic: auth: ", testing.assert_no_failures, (run { independent_analysis = "x", vote = { error = 401 } }))
    says("round independent_analysis: member skeptic: ", testing.assert_no_failures, (run { { error = 401 }, { error = 401 } }))
  end)
end)
