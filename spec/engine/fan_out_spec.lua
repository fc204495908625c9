--- Time limits, quorums and failure modes as rounds show them: round_spec.lua. Here: what may be asked of the module alone.
local T = require "spec.engine.support"
local curia = require "curia"
local fan_out = require "curia.engine.fan_out"
local helper = require "spec.helper"

local function ctx(opts, spec)
  return { _run = { opts = opts or {}, plan = { spec = spec or {} }, failure_mode = "continue" } }
end

describe("a fan-out", function()
  it("needs the round's quorum, else the council's, but never more than there are", function()
    local round = { module = {} }
    assert.is_nil(fan_out.quorum(ctx(), round, 3))
    assert.equal(2, fan_out.quorum(ctx(nil, { quorum = "majority" }), round, 3))
    assert.equal(3, fan_out.quorum(ctx({ quorum = "all" }, { quorum = 1 }), round, 3))
    assert.equal(2, fan_out.quorum(ctx(nil, { quorum = 5 }), round, 2))
    assert.equal(5, fan_out.quorum(ctx(), { module = {}, quorum = 5 }, 2))
    assert.is_nil(fan_out.quorum(ctx(nil, { quorum = "all" }), { module = { chair = true } }, 1))
  end)

  it("fails fast where the round says so, else where the run does", function()
    assert.is_false(fan_out.fails_fast(ctx(), {}))
    assert.is_true(fan_out.fails_fast(ctx(), { failure_mode = "fail_fast" }))
  end)

  it("asks in the groups that a round's module makes", function()
    local order = {}
    T.script(function(request)
      order[#order + 1] = request.member
      return "x"
    end)
    local round = { name = "pairs", build = function() return "Why?" end,
      groups = function(_, members) return { { members[3] }, { members[1], members[2] } } end }
    local result = helper.virtual(function() return curia.run(T.council { rounds = { { type = round } } }, "Why?") end)
    assert.equal("ok", result.status)
    assert.same({ "c", "a", "b" }, order)
  end)
end)
