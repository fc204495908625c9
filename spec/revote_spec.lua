local curia = require "curia"
local helper = require "spec.helper"
local S = require "spec.durable.support"
local T = require "spec.engine.support"

local place

before_each(function() place = S.place() end)
after_each(function() place.close() end)

describe("another rule on the ballots of a run", function()
  it("decides without a call, also once the run is in the store alone", function()
    helper.run(function()
      local run = S.start(assert(curia.load "councils/voting.lua"), nil, { run_id = "voted", offline = true })
      local result = assert(run:await())
      assert.same(result.decision.ballots_used, assert(curia.revote("voted", result.decision.rule)).ballots_used)
      run:leave_to_others()
      local again = assert(curia.revote("voted", "approval"))
      assert.same({ "approval", #result.decision.ballots_used }, { again.rule, again.effective_voters })
    end)
  end)

  it("says what it cannot do", function()
    helper.run(function()
      T.script "yes"
      local run = assert(curia.start(T.council {}, "Why?"))
      assert.equal("running", select(2, curia.revote(run, "borda")).code)
      run:await()
      local _, err = curia.revote(run, "borda")
      assert.equal("no_ballots", err.code)
      assert.equal("unknown_run", select(2, curia.revote("nobody", "borda")).kind)
      assert.error_matches(function() curia.revote(run, "borda", { rond = 1 }) end, "did you mean 'round'")
    end)
  end)
end)
