local curia = require "curia"
local helper = require "spec.helper"
local memory = require "curia.reliability.memory"
local T = require "spec.engine.support"
local weights = require "curia.weights"

local function ok(confidence)
  return { status = "ok", confidence = confidence }
end

local MEMBERS = { { id = "a" }, { id = "b" }, { id = "c" } }

local function near(expected, shares)
  for id, share in pairs(expected) do assert.is_true(math.abs(share - shares[id]) < 1e-12, id) end
  for id in pairs(shares) do assert.is_not_nil(expected[id], id) end
end

describe("the weights of members", function()
  it("are equal where nothing is known", function()
    near({ a = 1 / 3, b = 1 / 3, c = 1 / 3 }, weights.of(MEMBERS, { a = ok(), b = ok(), c = ok() }))
  end)

  it("are normalised over the members that answered", function()
    near({ a = 0.5, c = 0.5 }, weights.of(MEMBERS, { a = ok(), b = { status = "error", confidence = 1 }, c = ok() }))
    assert.same({}, weights.of(MEMBERS, {}))
  end)

  it("are the static weight, else reliability, else confidence, else a share", function()
    local members = { { id = "a", weight = 2 }, { id = "b" }, { id = "c" }, { id = "d" } }
    local results = { a = ok(0.1), b = ok(0.1), c = ok(0.4), d = ok() }
    local sum = 2 + 0.8 + 0.4 + 0.25
    near({ a = 2 / sum, b = 0.8 / sum, c = 0.4 / sum, d = 0.25 / sum },
      weights.of(members, results, { reliability = { a = 0.3, b = 0.8 } }))
  end)

  it("are equal where all weigh nothing, and a weight of 0 counts among others", function()
    local members = { { id = "a", weight = 0 }, { id = "b", weight = 0 } }
    near({ a = 0.5, b = 0.5 }, weights.of(members, { a = ok(), b = ok() }))
    members[2].weight = 3
    near({ a = 0, b = 1 }, weights.of(members, { a = ok(), b = ok() }))
  end)

  it("use what is on record in a run", function()
    memory.forget()
    curia.config { reliability = "memory" }
    for _ = 1, 2 do curia.reliability.record("a", { topic = "law" }, true) end
    T.script "yes"
    local shares
    helper.run(function()
      T.ask { ids = { "a", "b" }, run = function(ctx)
        local results = { a = ctx:ask "a", b = ctx:ask "b" }
        shares = weights.in_run(ctx, results, { topic = "law" })
        return "done"
      end }
    end)
    near({ a = 0.75 / 1.25, b = 0.5 / 1.25 }, shares)
    curia.config { reliability = false }
    memory.forget()
  end)

  it("go on without a store that is down, and the run says so", function()
    curia.config { reliability = "sqlite", store = "sqlite:/no/such/folder/a.db" }
    T.script "yes"
    local shares
    local events = T.events(T.council { ids = { "a", "b" }, run = function(ctx)
      shares = weights.in_run(ctx, { a = ok(), b = ok() })
      return "done"
    end })
    near({ a = 0.5, b = 0.5 }, shares)
    local logged = T.of_type(events, "log")
    assert.equal(1, #logged)
    assert.equal("error", logged[1].level)
    assert.matches("storage", logged[1].text)
    curia.config { reliability = false, store = "sqlite::memory:" }
  end)
end)
