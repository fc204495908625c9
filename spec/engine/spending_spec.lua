local curia = require "curia"
local helper = require "spec.helper"
local T = require "spec.engine.support"

-- What a run does at its limit is specified in budget_spec; here, how it says so.
describe("a run whose budget is used up", function()
  before_each(function() T.script "yes" end)

  it("fails with the budget's error first, whatever else went wrong after it", function()
    helper.virtual(function()
      local result, err = T.ask({ budget = { calls = 2 }, quorum = "all" }, "Why?")
      assert.same({ "error", "budget" }, { result.status, err.kind })
      assert.equal(err, result.errors[1])
      assert.is_nil(err.member)
      assert.equal("budget: 2 calls are all that the run may use", tostring(err))
      assert.is_true(#result.errors > 1)
    end)
  end)

  it("is not charged for calls that were cut short before they were sent", function()
    curia.config { providers = { narrow = { adapter = "scripted", limits = { concurrency = 1 },
      script = { content = "yes", delay_ms = 1000 } } } }
    local function seat(id) return { id = id, provider = "narrow", model = "m" } end
    helper.virtual(function()
      local result = curia.run(curia.council "narrow" {
        members = { seat "a", seat "b", seat "c" }, budget = { calls = 3 },
        rounds = { { type = "independent_analysis", name = "first", quorum = 1, grace_ms = 10 },
          { type = "independent_analysis", name = "second", members = { "a" } } },
      }, "Why?")
      assert.equal("ok", result.rounds[2].results.a.status)
      assert.equal(0, result.rounds[1].results.c.attempts)
    end)
  end)

  it("ends as failed, and its events tell the same", function()
    helper.virtual(function()
      local events, run = T.events(T.council { budget = { calls = 2 } })
      assert.equal("run_failed", events[#events].type)
      assert.equal("budget", events[#events].errors[1].kind)
      assert.equal("failed", run.status)
    end)
  end)

  it("tells those who ask by a raise, where no chair concludes", function()
    helper.virtual(function()
      local kinds = {}
      T.ask { budget = { calls = 1 }, ids = { "a" }, members = { a = { provider = "test", model = "m" } }, run = function(ctx)
        ctx:ask "a"
        for i = 1, 2 do
          local ok, err = pcall(ctx.ask, ctx, "a")
          kinds[i] = not ok and err.kind
        end
      end }
      assert.same({ "budget", "budget" }, kinds)
    end)
  end)
end)
