local curia = require "curia"
local helper = require "spec.helper"
local R = require "spec.rounds.support"
local T = require "spec.engine.support"

-- A round of one's own whose answers tell which iteration they are of.
local function think(more)
  local round = { name = "think", build = function(ctx)
    return ("iteration %d, rounds before: %d"):format(ctx.round.iteration, #ctx.rounds)
  end }
  for name, value in pairs(more or {}) do round[name] = value end
  return round
end

-- A council of two members that repeats a round; gives its result and the iterating round's.
local function iterate(options, body, opts)
  local round = { type = "iterate" }
  for name, value in pairs(options) do round[name] = value end
  local council = { ids = { "a", "b" }, rounds = { round } }
  for name, value in pairs(body or {}) do council[name] = value end
  local result, err = T.ask(council, "Why?", opts)
  return result, result and result.rounds[1], err
end

-- Answers with what was asked.
local function echo(request) return request.messages[#request.messages].content end

describe("iterate", function()
  before_each(function() T.script(echo) end)

  it("repeats a round three times, or as often as it is told", function()
    local result, round = iterate { round = think() }
    assert.same({ "ok", 1, 3, "max_iterations" }, { result.status, #result.rounds, #round.metadata.iterations, round.metadata.stopped })
    assert.equal("iteration 3, rounds before: 2", round.results.b.response.content)
    assert.equal("iteration 1, rounds before: 0", round.metadata.iterations[1].results.a.response.content)
    round = select(2, iterate { round = think(), max_iterations = 5 })
    assert.equal(5, #round.metadata.iterations)
  end)

  it("takes a type, a type with options, a round of one's own, or what the word round makes", function()
    for _, wrapped in ipairs { "independent_analysis", { type = "independent_analysis", name = "again" },
      curia.round "independent_analysis" { name = "again" } } do
      local _, round = iterate { round = wrapped, max_iterations = 1 }
      assert.equal(type(wrapped) == "string" and wrapped or "again", round.metadata.iterations[1].name)
      assert.equal("Why?", round.results.a.response.content)
    end
    local _, round = iterate { round = { type = think(), members = { "b" } } }
    assert.is_nil(round.results.a)
  end)

  it("stops when until is content, which sees the previous iteration, this one, and the options", function()
    local seen = {}
    local _, round = iterate { round = { type = think(), members = { "a" } }, stop_when = function(previous, current, opts)
      seen[#seen + 1] = { previous and previous.iteration, current.results.a.response.content:match "%d", opts.members[1] }
      return #seen == 2
    end }
    assert.same({ { nil, "1", "a" }, { nil, "2", "a" } }, seen)
    assert.same({ 2, "converged" }, { #round.metadata.iterations, round.metadata.stopped })
  end)

  it("finds until by its registered name", function()
    curia.register("function", "at once", function() return true end)
    local _, round = iterate { round = think(), ["until"] = "at once" }
    assert.equal(1, #round.metadata.iterations)
    curia.unregister("function", "at once")
    local _, _, err = iterate { round = think(), ["until"] = "at once" }
    assert.matches("no function is registered as 'at once'", err.message)
    local _, problem = T.ask { ids = { "a" }, run = function(ctx)
      ctx:round("iterate", { round = "critique", stop_when = "at once" })
    end }
    assert.equal("validation", problem.kind)
    assert.matches("no function is registered as 'at once'", problem.message)
  end)

  it("asks the wrapped round itself where there is no until", function()
    local _, round = iterate { round = think { converged = function(previous) return previous ~= nil end } }
    assert.same({ 2, "converged" }, { #round.metadata.iterations, round.metadata.stopped })
  end)

  it("stops critics that repeat themselves", function()
    local answers = 0
    T.script(function(request)
      answers = answers + 1
      if request.round == "independent_analysis" then return "an answer" end
      return answers < 6 and ("critique number %d of its kind"):format(answers) or "the same words as ever"
    end)
    local result = T.ask { ids = { "a", "b" }, rounds = { { type = "independent_analysis" },
      { type = "iterate", round = "critique", max_iterations = 9 } } }
    assert.same({ 4, "converged" }, { #result.rounds[2].metadata.iterations, result.rounds[2].metadata.stopped })
    assert.equal("critiques", result.rounds[2].metadata.texts)
  end)

  it("fails with an until that fails", function()
    local _, _, err = iterate { round = think(), stop_when = function() error "broken" end }
    assert.matches("until of round iterate: .*broken", err.message)
  end)

  it("is the previous round of the next one: its last iteration", function()
    local asked, result = R.prompts({ "independent_analysis", { type = "iterate", round = { type = "peer_review" }, max_iterations = 2 },
      "critique" }, R.tell)
    assert.is_true(R.holds(asked.critique.a, "peer_review by b"))
    assert.same({ 3, 2, 3 }, { #result.rounds, result.rounds[2].metadata.iterations[2].idx, result.rounds[3].idx })
  end)

  it("tells its iterations by events", function()
    local events = T.events(T.council { ids = { "a" }, rounds = { { type = "iterate", round = think(), max_iterations = 2 } } })
    local told = {}
    for _, event in ipairs(events) do
      if event.round then told[#told + 1] = ("%s %s %s"):format(event.type, event.round, event.iteration or "-") end
    end
    assert.same({ "round_started iterate -", "round_started think 1", "member_started think 1", "member_completed think 1",
      "round_completed think 1", "round_started think 2", "member_started think 2", "member_completed think 2",
      "round_completed think 2", "round_completed iterate -" }, told)
  end)

  it("can be wrapped itself", function()
    local _, round = iterate { round = { type = "iterate", round = think(), max_iterations = 2 }, max_iterations = 2 }
    assert.equal(2, #round.metadata.iterations)
    assert.equal(2, #round.metadata.iterations[2].metadata.iterations)
    assert.equal("ok", round.results.a.status)
  end)

  it("carries a decision on", function()
    local decided = 0
    local result = iterate { round = think { aggregate = function()
      decided = decided + 1
      return { winner = "b", ranking = { "b" }, count = decided }
    end }, max_iterations = 2 }
    assert.equal(2, result.decision.count)
  end)
end)

describe("iterate, when something fails", function()
  it("stops with what there is", function()
    T.script(function(request)
      return request.messages[1].content:find "iteration 2" and { error = 401 } or echo(request)
    end)
    local result, round = iterate { round = { type = think(), failure_mode = "fail_fast" } }
    assert.same({ "partial", "failed", "auth" }, { result.status, round.metadata.stopped, round.error.kind })
    assert.equal("iteration 1, rounds before: 0", round.results.a.response.content)
    assert.equal(2, #round.metadata.iterations)
  end)

  it("goes on while anybody answers", function()
    T.script(function(request) return request.member == "b" and { error = 401 } or echo(request) end)
    local result, round = iterate { round = think() }
    assert.same({ "partial", "max_iterations" }, { result.status, round.metadata.stopped })
    assert.same({ a = "ok", b = "error" }, T.statuses(result))
  end)

  it("fails where the first iteration does, with its results", function()
    T.script { error = 401 }
    local result, round, err = iterate { round = { type = think(), quorum = 1 } }
    assert.same({ "error", "quorum", "failed" }, { result.status, err.kind, round.metadata.stopped })
    assert.same({ a = "error", b = "error" }, T.statuses(result))
  end)

  it("ends a run that fails fast", function()
    T.script(function(request)
      return request.messages[1].content:find "iteration 2" and { error = 401 } or echo(request)
    end)
    local result, _, err = iterate({ round = think() }, nil, { failure_mode = "fail_fast" })
    assert.same({ "error", "auth" }, { result.status, err.kind })
  end)

  it("keeps what was answered when its time is over", function()
    helper.virtual(function()
      T.script { content = "x", delay_ms = 60 }
      local ms, result, round = T.timed(iterate, { round = think(), timeout = 100 })
      assert.same({ 100, "timeout", "ok" }, { ms, round.error.kind, round.results.a.status })
      assert.same({ "partial", 2 }, { result.status, #round.metadata.iterations })
      ms, result, round = T.timed(iterate, { round = think(), timeout = 50 })
      assert.same({ 50, "timeout", "error" }, { ms, round.results.a.status, result.status })
    end)
  end)

  it("is checked before a token is spent", function()
    T.script "yes"
    local function fault(options)
      options.type = "iterate"
      local _, faults = curia.validate(T.council { rounds = { options } })
      return faults and faults[1].path .. " " .. faults[1].code
    end
    assert.equal("rounds[1].round missing", fault {})
    assert.equal("rounds[1].round.type unknown_round", fault { round = "critiqe" })
    assert.equal("rounds[1].round.similarity out_of_range", fault { round = { type = "critique", similarity = 2 } })
    assert.equal("rounds[1].max_iterations out_of_range", fault { round = "critique", max_iterations = 0 })
    assert.is_nil(fault { round = "critique", max_iterations = 16 })
  end)
end)
