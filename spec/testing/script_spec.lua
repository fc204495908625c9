local curia = require "curia"
local helper = require "spec.helper"
local testing = require "curia.testing"

local function panel(fields)
  local body = {
    members = { { id = "analyst", model = "gpt-4o", provider = "openai" }, { id = "skeptic", model = "m", provider = "openai" } },
    chair = { model = "m", provider = "openai" },
    rounds = { { type = "independent_analysis" }, { type = "vote" } },
  }
  for name, value in pairs(fields or {}) do body[name] = value end
  return curia.council "panel" (body)
end

local function run(council, opts)
  return helper.run(function() return curia.run(council, "Ship?", opts) end)
end

local function one(fields)
  local member = { id = "only", model = "m", provider = "openai" }
  for name, value in pairs(fields or {}) do member[name] = value end
  return curia.council "one" { members = { member }, rounds = { { type = "independent_analysis" } } }
end

describe("testing.script", function()
  it("gives one text to all, the chair included, and leaves the council as it is", function()
    local council = panel { rounds = { { type = "independent_analysis" } } }
    local copy = testing.script(council, "Yes.")
    local result = run(copy)
    assert.same({ "ok", "Yes.", "Yes." }, { result.status, result.final.content, result.rounds[1].results.analyst.response.content })
    assert.equal("openai", council:spec().members[1].provider)
  end)

  it("answers by member and round, and knows members in ballots again", function()
    local council, script = testing.script(panel(), {
      analyst = { independent_analysis = "Ship it.", vote = { choice = "skeptic", rationale = "the better one" } },
      skeptic = { independent_analysis = "Wait.", vote = { choice = "analyst" } },
      chair = "Wait a day.",
    })
    local result = run(council, { failure_mode = "fail_fast" })
    assert.equal("ok", result.status, tostring(result.errors[1]))
    assert.same({ analyst = 1, skeptic = 1 }, result.rounds[2].decision.tallies or result.rounds[2].decision.scores)
    assert.equal("Wait a day.", result.final.content)
    assert.same({}, script:unused())
  end)

  it("calls a function with each request", function()
    local council = testing.script(panel { rounds = { { type = "independent_analysis" } } }, function(request)
      return request.member .. " in " .. request.round
    end)
    local result = run(council)
    assert.equal("chair in synthesis", result.final.content)
  end)

  it("gives the answers of a list one after the other, by way of retries", function()
    local council, script = testing.script(one { stream = true }, {
      only = { { error = 503 }, { content = "a b c", reasoning = "hm", pieces = 3, usage = { output_tokens = 7 } } },
    })
    local result = helper.virtual(function() return curia.run(council, "Ship?") end)
    local answered = result.rounds[1].results.only
    assert.same({ "a b c", "hm", 2, 7 },
      { answered.response.content, answered.response.reasoning, answered.attempts, answered.response.usage.output_tokens })
    assert.same({}, script:unused())
  end)

  it("says what was never asked for", function()
    local council, script = testing.script(panel { rounds = { { type = "independent_analysis" } } }, {
      analyst = { "Yes.", "No." }, skeptic = "Why?", chair = { synthesis = "So be it." },
    })
    assert.same({ "analyst[1]", "analyst[2]", "chair.synthesis", "skeptic" }, script:unused())
    run(council)
    assert.same({ "analyst[2]" }, script:unused())
  end)

  it("fails a request that has no answer, by member, round and count", function()
    local council, script = testing.script(panel(), { analyst = "Yes.", skeptic = { vote = "x" }, chair = {"a"} })
    assert.truthy(run(council))
    assert.matches("member skeptic, round independent_analysis: no answer is scripted for this round; there are answers for vote",
      table.concat(script:unanswered(), "\n"), 1, true)
    council, script = testing.script(one(), { only = { "first" } })
    run(council)
    local _, err = run(council)
    assert.equal("script", err.kind)
    assert.equal("member only, round independent_analysis: the list only ends with answer 1, and this is request 2", err.message)
    assert.same({ err.message }, script:unanswered())
  end)

  it("goes into councils inside of the council", function()
    local outer = curia.council "outer" {
      members = { { id = "inner", council = panel { rounds = { { type = "independent_analysis" } } } }, { id = "expert", model = "m", provider = "openai" } },
      rounds = { { type = "independent_analysis" } },
    }
    local council, script = testing.script(outer, {
      inner = { analyst = "a", skeptic = "s", chair = "from inside" }, expert = "e",
    })
    local result = run(council)
    assert.equal("from inside", result.rounds[1].results.inner.response.content)
    assert.same({}, script:unused())
    assert.error_matches(function() testing.script(outer, { inner = { analist = "x" } }) end,
      "there is no member 'inner.analist'; did you mean 'analyst'?", 1, true)
  end)

  it("keeps fallbacks, which are asked from the script too", function()
    local council = testing.script(one { fallback = { "openai/other" } }, function(request)
      return request.model == "other" and "from the other" or { error = 401 }
    end)
    assert.equal("from the other", run(council).final.content)
  end)

  it("sends values as JSON where a schema is asked for", function()
    local council = testing.script(one { schema = { type = "object", properties = { risk = { type = "integer" } } } },
      { only = { independent_analysis = { risk = 3 } } })
    assert.same({ risk = 3 }, run(council).rounds[1].results.only.response.parsed)
  end)

  it("refuses what cannot be used, at the caller's line", function()
    for given, message in pairs {
      ["testing.script: there is no member 'skeptik'; did you mean 'skeptic'%?"] = { skeptik = "x" },
      ["testing.script: skeptic: there is no round 'voet'; did you mean 'vote'%?"] = { skeptic = { voet = "x" } },
      ["testing.script: skeptic%.vote: .*did you mean 'delay_ms'"] = { skeptic = { vote = { content = "x", delay = 3 } } },
      ["testing.script: skeptic: an answer is expected"] = { skeptic = {} },
    } do
      assert.error_matches(function() testing.script(panel(), message) end, given)
    end
    assert.error_matches(function() testing.script({}, "x") end, "bad argument #1")
    assert.error_matches(function() testing.script(panel(), 3) end, "the script: a text, a table or a function is expected, not a number")
    local own = curia.council "own" { members = { { id = "fn", run = function() return "x" end } }, rounds = { { type = "independent_analysis" } } }
    assert.error_matches(function() testing.script(own, { fn = "x" }) end, "member 'fn' is a function")
  end)
end)
