local adhoc = require "curia.engine.adhoc"
local config = require "curia.config"
local errors = require "curia.errors"

local run = { config = config.shared(), rounds = { {}, {} }, plan = { by_id = { a = {}, b = {} } } }

local function refused(...)
  local ok, err = pcall(adhoc.plan, run, ...)
  assert.is_false(ok)
  assert.is_true(errors.is(err))
  return err
end

describe("a round that a script asks for", function()
  it("is planned as those of a council", function()
    local round = adhoc.plan(run, "critique", { timeout = "2s", members = { "a" } })
    assert.same({ "critique", "critique", 3, 2000 }, { round.type, round.name, round.idx, round.timeout_ms })
    assert.equal(require "curia.rounds.critique", round.module)
    assert.equal("last word", adhoc.plan(run, "critique", { name = "last word" }).name)
    assert.equal("mine", adhoc.plan(run, { name = "mine", build = print }).name)
  end)

  it("takes what is registered by its name", function()
    run.config.registry:register("router", "adhoc_router", print)
    assert.equal(print, adhoc.plan(run, "critique", { router = "adhoc_router" }).router)
    run.config.registry:unregister("router", "adhoc_router")
    assert.equal("unknown_router", refused("critique", { router = "adhoc_router" }).code)
  end)

  it("is refused when type, option or member is unknown", function()
    assert.same({ "validation", "unknown_round" }, { refused("critic").kind, refused("critic").code })
    assert.equal("unknown_round", refused(nil).code)
    assert.matches("did you mean 'timeout'", refused("critique", { timout = 1 }).message)
    assert.equal("out_of_range", refused("critique", { failure_mode = "explode" }).code)
    assert.equal("unknown_member", refused("critique", { members = { "c" } }).code)
    assert.same({ "conflict", true }, { refused("vote", { rule = "mean" }).code,
      refused("vote", { rule = "mean" }).message:find("cannot count", 1, true) ~= nil })
    assert.equal("conflict", refused("vote", { tie_break = "chair" }).code)
    assert.equal("unknown_schema", refused("critique", { schema = "nothing" }).code)
    assert.matches("unknown type 'objct'", refused("critique", { schema = { type = "objct" } }).message)
  end)
end)
