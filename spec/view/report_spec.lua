local colour = require "curia.view.colour"
local events = require "spec.view.events"
local report = require "curia.view.report"

local plain = colour.palette(false)
local MEMBERS = { "optimist", "skeptic", "chair" }

local function changed(more)
  local result = {}
  for key, value in pairs(events.result) do result[key] = value end
  for key, value in pairs(more) do result[key] = value end
  return report.footer(result, MEMBERS, plain)
end

describe("curia.view.report", function()
  it("tells who answered, who did not and why, and what it took", function()
    assert.same({
      "partial    there is an answer, and somebody is missing in it",
      "answered   optimist (m-1), chair (m-1)",
      "no answer  skeptic in independent_analysis, ranking: the key was refused: bad key (HTTP 401)",
      "tokens     1,030 in, 15 out", "cost       unknown", "time       4.0 s", "run        01-run",
    }, report.footer(events.result, MEMBERS, plain))
  end)

  it("never tells an unknown number as 0", function()
    local lines = changed { usage = {}, cost = nil }
    assert.equal("tokens     unknown", lines[4])
    assert.equal("tokens     unknown in, 3 out", changed { usage = { output_tokens = 3 } }[4])
  end)

  it("tells where a cost comes from", function()
    local priced = changed { cost = { usd = 0.0123, source = "price_table" } }
    assert.equal("cost       $0.0123 by the price table", priced[5])
    assert.equal("cost       $1.20 as the provider says, without 2 calls of unknown price",
      changed { cost = { usd = 1.2, source = "provider", unpriced_calls = 2 } }[5])
  end)

  it("marks what is offline", function()
    assert.equal(report.OFFLINE, changed { metadata = { offline = true } }[1])
  end)

  it("tells of a run that was cancelled, or failed by itself", function()
    assert.equal("cancelled  stopped with Ctrl-C",
      changed { status = "error", errors = { { kind = "cancelled", message = "stopped with Ctrl-C" } } }[1])
    local deadline = { kind = "deadline", message = "5 s" }
    local late = changed { status = "error", errors = { deadline, deadline } }
    assert.equal("failed     the time is up: 5 s", late[1])
    assert.equal("failed     there is no final answer", changed { status = "error", errors = {} }[1])
  end)

  it("says in one line why there is no answer", function()
    local function failure(status, errs, rounds)
      return report.failure { status = status, errors = errs, rounds = rounds or {} }
    end
    local deadline, stop = { kind = "deadline", message = "5 s" }, { kind = "cancelled", message = "stopped" }
    local broken = { name = "r", results = { a = { status = "error", error = { kind = "auth", message = "who?" } } } }
    assert.equal("cancelled: stopped", failure("error", { stop }))
    stop.message = "cancelled by its holder"
    assert.equal("cancelled by its holder", failure("error", { stop }))
    assert.equal("failed: the time is up: 5 s", failure("error", { deadline, deadline }))
    assert.equal("failed: a: the key was refused: who?", failure("error", {}, { broken }))
    assert.equal("failed: there is no final answer", failure "error")
    assert.is_nil(failure("partial", {}, { broken }))
  end)

  it("says nothing of a status that is well, nor of members that were not wanted", function()
    local round = { name = "r", results = { a = { status = "skipped", metadata = { reason = "router_excluded" } } } }
    local lines = changed { status = "ok", rounds = { round } }
    assert.equal("tokens     1,030 in, 15 out", lines[1])
  end)

  it("breaks long rows under their beginning", function()
    local lines = report.footer(events.result, MEMBERS, plain, 50)
    assert.equal("no answer  skeptic in independent_analysis,", lines[4])
    assert.equal("           ranking: the key was refused: bad key", lines[5])
  end)

  it("gives the answer, as it is or for people", function()
    assert.equal("Ship it.\n\nBut carefully.", report.answer(events.result))
    assert.is_nil(report.answer({}))
    assert.equal("a[31m b\nc", report.for_terminal("a\27[31m b c", 8))
  end)
end)
