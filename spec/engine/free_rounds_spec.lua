local events = require "curia.engine.events"
local free_rounds = require "curia.engine.free_rounds"

local function new_run()
  local run = { rounds = {}, left = {}, log = events.new "r" }
  function run:enter_round(_, result) self.rounds[#self.rounds + 1] = result end
  function run:leave_round(_, result) self.left[#self.left + 1] = result.idx end
  return run, free_rounds.new(run)
end

describe("free rounds", function()
  it("are shared by the asks of one label", function()
    local run, free = new_run()
    local one, two = free:enter("draft", "a"), free:enter("draft", "b")
    assert.equal(one, two)
    free:leave(one)
    free:leave(two)
    assert.equal(one, free:enter("draft", "c"))
    assert.equal(1, #run.rounds)
    assert.same({}, run.left)
  end)

  it("end when another begins and nobody is under way", function()
    local run, free = new_run()
    free:leave(free:enter("draft", "a"))
    local review = free:enter("review", "a")
    assert.same({ 1 }, run.left)
    assert.equal(2, review.round.idx)
    free:leave(review)
    free:close_idle()
    assert.same({ 1, 2 }, run.left)
  end)

  it("begin anew for a member that has been asked", function()
    local run, free = new_run()
    local one = free:enter("run", "a")
    local two = free:enter("run", "a")
    assert.not_equal(one, two)
    assert.same({ 1, 2 }, { one.round.idx, two.round.idx })
    free:leave(two)
    assert.same({}, run.left)
    free:leave(one)
    assert.same({ 1 }, run.left)
  end)

  it("overlap while asks of both are under way, and end once", function()
    local run, free = new_run()
    local draft, review = free:enter("draft", "a"), free:enter("review", "b")
    assert.equal(draft, free:enter("draft", "c"))
    free:leave(draft)
    assert.same({}, run.left)
    free:leave(draft)
    assert.same({ 1 }, run.left)
    free:close_idle(true)
    assert.same({ 1, 2 }, run.left)
    free:leave(review)
    assert.same({ 1, 2 }, run.left)
  end)
end)
