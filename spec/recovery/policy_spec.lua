local curia = require "curia"
local errors = require "curia.errors"
local policies = require "curia.recovery.policy"
local registries = require "curia.registry"

local registry = registries.new()

local function council(recovery)
  return curia.council "c" { members = { "a" }, rounds = { "independent_analysis" }, recovery = recovery }
end

local function row(fields)
  local made = { run_id = "r", council = "c", durability = "sync" }
  for name, value in pairs(fields or {}) do made[name] = value end
  return made
end

local function of(fields, recovery, resolve_policy)
  local known = { councils = recovery and { c = council(recovery) }, registry = registry }
  return policies.of(row(fields), known, resolve_policy)
end

describe("the policy for a run", function()
  it("is to go on with a durable one, and to fail one that was only recorded", function()
    assert.same({ "resume", 3 }, { of() })
    assert.same({ "fail", 3 }, { of { durability = "none" } })
    assert.equal("fail", (of { durability = "none", recovery = "resume" }))
    assert.equal("restart", (of { durability = "none", recovery = "restart" }))
  end)

  it("is what its council declared when it began", function()
    assert.same({ "restart", 5 }, { of { recovery = "restart", max_attempts = 5 } })
  end)

  it("is what the council known here declares, if that declares something", function()
    assert.equal("restart", (of({ recovery = "fail" }, "restart")))
    assert.same({ "fail", 7 }, { of({ recovery = "restart", max_attempts = 5 }, { policy = "fail", max_attempts = 7 }) })
    assert.same({ "restart", 7 }, { of({ recovery = "restart", max_attempts = 5 }, { max_attempts = 7 }) })
    registry:register("council", "c", council "fail")
    assert.equal("fail", (of { recovery = "restart" }))
    registry:unregister("council", "c")
  end)

  it("is what the run was started with, whatever its council says", function()
    assert.equal("fail", (of({ recovery = "fail", options = { recovery = "fail" } }, "restart")))
    assert.same({ "restart", 2 }, { of({ options = { recovery = { max_attempts = 2 } } }, "restart") })
  end)

  it("is what a function says before all of these, if it says something", function()
    local asked
    local function resolve(answer)
      return function(of_run)
        asked = of_run.run_id
        return answer
      end
    end
    assert.equal("restart", (of({ options = { recovery = "fail" } }, "fail", resolve "restart")))
    assert.equal("r", asked)
    assert.equal("fail", (of({ options = { recovery = "fail" } }, "restart", resolve(nil))))
  end)

  it("is none where the function raises, or names none", function()
    local policy, err = of(nil, nil, function() error "boom" end)
    assert.is_nil(policy)
    assert.matches("boom", err.message)
    err = select(2, of(nil, nil, function() return "forget" end))
    assert.same({ "validation", "resolve_policy: no policy forget" }, { err.kind, err.message })
    err = select(2, of(nil, nil, function() return nil, errors.new("storage", "away") end))
    assert.equal("storage", err.kind)
  end)
end)
