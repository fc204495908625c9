local T = require "spec.engine.support"
local participants = require "curia.engine.participants"

local function member(id)
  return { id = id }
end

local a, b, c = member "a", member "b", member "c"
local plan = { members = { a, b, c }, by_id = { a = a, b = b, c = c } }

local function of(round, router)
  round.module, round.name = round.module or {}, "r"
  local ctx = { input = "Why?", _run = { plan = { members = plan.members, by_id = plan.by_id, router = router } } }
  return participants.of(ctx, round, { results = {} })
end

describe("who takes part in a round", function()
  it("is everybody, or who is listed, each once", function()
    assert.same({ a, b, c }, (of {}))
    assert.same({ c, a }, (of { members = { "c", "a", "c" } }))
  end)

  it("is whom the router chooses; the round's comes before the council's", function()
    local chosen, excluded = of({}, function() return { "b" } end)
    assert.same({ { b }, { a, c } }, { chosen, excluded })
    assert.same({ c }, (of({ router = function() return "c" end }, function() return { "b" } end)))
  end)

  it("is nobody where the router names who is no member, or fails", function()
    for _, router in ipairs { function() return { "d" } end, function() return 5 end, function() error "no" end } do
      local members, err = of({}, router)
      assert.is_nil(members)
      assert.equal("script", err.kind)
    end
  end)

  it("is the chair in its own rounds", function()
    local members, err = of { module = { chair = true } }
    assert.is_nil(members)
    assert.matches("the council has none", err.message)
    T.answers { a = "x", chair = "the end" }
    assert.equal("the end", T.ask({ ids = { "a" }, chair = true }).final.content)
  end)
end)
