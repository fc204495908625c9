local attempts = require "curia.engine.attempt"
local events = require "curia.engine.events"

local function new_turn(stream)
  local run = { id = "r", log = events.new "r", attempts = {}, prices = nil }
  return { run = run, round = { name = "first", idx = 1 }, member = { id = "a", stream = stream }, attempts = 1, started_us = 0 }
end

describe("an attempt", function()
  it("belongs to its run, and knows whether tokens are watched", function()
    local turn = new_turn(true)
    local attempt = attempts.new(turn)
    assert.equal(attempt, turn.run.attempts[turn])
    assert.is_false(attempt.watch)
    turn.run.log:subscribe {}
    assert.is_true(attempts.new(turn).watch)
  end)

  it("counts bytes and keeps pieces, watched or not", function()
    local turn = new_turn(true)
    local attempt = attempts.new(turn)
    attempt:on_delta("reasoning", "hm")
    attempt:on_delta("content", "one")
    assert.is_number(turn.first_token_ms)
    assert.is_true(attempt.content_seen)
    local reader = turn.run.log:subscribe {}
    attempt:on_delta("content", "two")
    turn.run.log:close()
    local event = reader:next()
    assert.same({ "two", 3, "content", "a", 1, 1 }, { event.text, event.index, event.kind, event.member, event.attempt, event.idx })
    assert.is_nil(reader:next())
    assert.same({ "one", "two" }, attempt.pieces.content)
    assert.same({ "hm" }, attempt.pieces.reasoning)
  end)

  it("is no begun answer by reasoning or arguments of tools", function()
    local attempt = attempts.new(new_turn(true))
    attempt:on_delta("reasoning", "hm")
    attempt:on_delta("tool_args", "{")
    attempt:on_delta("content", "")
    assert.falsy(attempt.content_seen)
    assert.is_nil(attempt.pieces.tool_args)
  end)

  it("of a member that does not stream tells nobody", function()
    local turn = new_turn(false)
    local reader = turn.run.log:subscribe {}
    attempts.new(turn):on_delta("content", "one")
    turn.run.log:close()
    assert.is_nil(reader:next())
  end)
end)
