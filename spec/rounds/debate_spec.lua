local helper = require "spec.helper"
local R = require "spec.rounds.support"
local T = require "spec.engine.support"

-- Runs a debate; `say(member, turn, prompt)` gives each statement. Gives the round, the prompts by member and
-- turn, who spoke in which order, and the result.
local function debate(say, options, body)
  local prompts, order, count = {}, {}, {}
  T.script(function(request)
    local member = request.member
    if request.round ~= "debate" then return R.tell(request.round, member) end
    count[member] = (count[member] or 0) + 1
    order[#order + 1] = member
    prompts[member] = prompts[member] or {}
    table.insert(prompts[member], request.messages[#request.messages].content)
    return say(member, count[member], prompts[member][count[member]])
  end)
  local round = { type = "debate" }
  for name, value in pairs(options or {}) do round[name] = value end
  body = body or {}
  body.rounds = { { type = "independent_analysis" }, round }
  local result, err = T.ask(body)
  return result.rounds[2], prompts, table.concat(order), result, err
end

local function differ(member, turn)
  return ("%s says %d\nAGREED: no"):format(member, turn)
end

local function agree(member, turn)
  return ("%s says %d\n\n**AGREED: yes**\n"):format(member, turn)
end

describe("debate", function()
  it("lets one member after the other challenge, and the others reply to the challenge", function()
    local round, prompts, order = debate(differ)
    assert.equal("abcbac", order)
    assert.is_true(R.holds(prompts.a[1], "In this turn you are the challenger"))
    assert.is_true(R.holds(prompts.a[1], '<answer from="b">\n<independent_analysis by b>'))
    assert.is_true(R.holds(prompts.b[1], 'In this turn "a" is the challenger'))
    assert.is_true(R.holds(prompts.b[1], '<answer from="a">\na says 1\n</answer>'))
    assert.is_true(R.holds(prompts.b[1], '<answer from="c">\n<independent_analysis by c>'))
    assert.is_true(R.holds(prompts.b[2], "you are the challenger"))
    assert.is_true(R.holds(prompts.c[2], "b says 2"))
    assert.is_true(R.holds(prompts.c[2], "a says 1"))
    assert.equal("c says 2", round.results.c.response.content)
  end)

  it("lets all challenge all at the same time, each seeing the turn before", function()
    helper.virtual(function()
      local round, prompts = debate(function(member, turn)
        return { content = differ(member, turn), delay_ms = member == "a" and 1 or 100 }
      end, { challenger = "all" })
      assert.is_true(R.holds(prompts.b[2], "a says 1"))
      assert.is_false(R.holds(prompts.c[2], "a says 2"))
      assert.is_true(R.holds(prompts.a[1], "Challenge what you hold wrong"))
      assert.equal(200, round.duration_ms)
    end)
  end)

  it("shows a member its own last answer as its own, after what is shared", function()
    local _, prompts = debate(differ, { challenger = "all" })
    assert.is_true(R.holds(prompts.a[1], 'Your own last answer, which they call "a":\n\n<answer from="a">\n<independent_analysis by a>'))
    assert.is_true(R.holds(prompts.a[2], '<answer from="a">\na says 1\n</answer>'))
    local prefix = prompts.b[2]:sub(1, R.common(prompts.b[2], prompts.c[2]))
    assert.is_true(R.holds(prefix, "a says 1"))
  end)

  it("ends when all have said that they agree", function()
    local round, _, order = debate(agree)
    assert.equal("abc", order)
    assert.same({ "agreed", 1 }, { round.metadata.stopped, #round.metadata.iterations })
    assert.same({ agrees = true }, round.results.a.response.parsed)
    assert.equal("a says 1", round.results.a.response.content)
    round = debate(function(member, turn) return (member == "c" and turn == 1 and differ or agree)(member, turn) end)
    assert.same({ "agreed", 2 }, { round.metadata.stopped, #round.metadata.iterations })
  end)

  it("takes no silence for agreement, nor the word of one", function()
    local round = debate(function(member, turn) return ("%s says %d"):format(member, turn) end, { max_rounds = 3 })
    assert.same({ "max_rounds", 3 }, { round.metadata.stopped, #round.metadata.iterations })
    round = debate(function(member, turn) return member == "a" and agree(member, turn) or { error = 401 } end, {},
      { retry = { attempts = 1 } })
    assert.equal("max_rounds", round.metadata.stopped)
  end)

  it("ends when `until` says so", function()
    local seen = {}
    local round = debate(agree, { max_rounds = 5, ["until"] = function(previous, current, opts)
      seen[#seen + 1] = { previous and previous.results.b.response.content or "-", current.results.b.response.content,
        opts.max_rounds }
      return #seen == 3
    end })
    assert.same({ { "-", "b says 1", 5 }, { "b says 1", "b says 2", 5 }, { "b says 2", "b says 3", 5 } }, seen)
    assert.equal("until", round.metadata.stopped)
    local failed, _, _, _, err = debate(agree, { ["until"] = function() error("broken on purpose", 0) end })
    assert.equal("script", err.kind)
    assert.equal("ok", failed.results.a.status)
  end)

  it("keeps all turns and tells each in the events of the run", function()
    local round = debate(differ)
    assert.equal("b says 1", round.metadata.iterations[1].results.b.response.content)
    T.script(function(request) return differ(request.member, 1) end)
    local events = T.events(T.council { ids = { "a", "b" }, rounds = { { type = "independent_analysis" }, { type = "debate" } } })
    local told = {}
    for _, event in ipairs(events) do
      if event.round == "debate" then
        told[#told + 1] = ("%s %s %s"):format(event.type, event.iteration or "-", event.member or "-")
        assert.equal(2, event.idx)
      end
    end
    assert.same({
      "round_started - -",
      "round_started 1 -", "member_started 1 a", "member_completed 1 a", "member_started 1 b", "member_completed 1 b",
      "round_completed 1 -",
      "round_started 2 -", "member_started 2 b", "member_completed 2 b", "member_started 2 a", "member_completed 2 a",
      "round_completed 2 -",
      "round_completed - -",
    }, told)
  end)

  it("goes on without those that fail, and says so", function()
    local round, prompts, _, result = debate(function(member, turn)
      return member == "c" and turn == 2 and { error = 401 } or differ(member, turn)
    end, { max_rounds = 3, challenger = "all" }, { retry = { attempts = 1 } })
    assert.same({ a = "ok", b = "ok", c = "ok" }, T.statuses(result, 2))
    assert.same({ { member = "c", round = "debate", kind = "auth", message = result.errors[1].message } }, {
      table.unpack(result.degraded.missing) })
    assert.equal("error", round.metadata.iterations[2].results.c.status)
    assert.is_true(R.holds(prompts.a[3], "c says 1"))
  end)

  it("is told to the chair turn by turn", function()
    local asked
    T.script(function(request)
      if request.member == "chair" then asked = request.messages[#request.messages].content end
      return request.round == "debate" and differ(request.member, 1) or R.tell(request.round, request.member)
    end)
    T.ask { chair = true, ids = { "a", "b" }, rounds = { { type = "independent_analysis" }, { type = "debate" } } }
    assert.is_true(R.holds(asked, '== debate, iteration 1 ==\n\n<answer from="a">\na says 1'))
    assert.is_true(R.holds(asked, "== debate, iteration 2 =="))
    assert.is_false(R.holds(asked, "AGREED"))
  end)

  it("has subset, router, quorum and time limit as every round", function()
    local _, prompts = debate(differ, { members = { "c", "a" } })
    assert.is_nil(prompts.b)
    assert.is_false(R.holds(prompts.a[1], 'from="b"'))
    local round
    round, prompts = debate(differ, { router = function() return { "a", "b" } end })
    assert.is_nil(prompts.c)
    assert.equal("skipped", round.results.c.status)
    local _, _, order, _, err = debate(function() return { error = 401 } end, { quorum = 2 }, { retry = { attempts = 1 } })
    assert.equal("quorum", err.kind)
    assert.equal("abc", order)
    helper.virtual(function()
      round = debate(function(member, turn) return { content = differ(member, turn), delay_ms = 400 } end, { timeout = "1s" })
      assert.equal(1000, round.duration_ms)
      assert.equal("ok", round.metadata.iterations[1].results.c.status)
      assert.same({ "timeout", "a says 1", "c says 1" }, { round.results.b.status, round.results.a.response.content,
        round.results.c.response.content })
    end)
    _, _, order = debate(function(member) return member == "a" and { error = 401 } or "x" end, { failure_mode = "fail_fast" },
      { retry = { attempts = 1 } })
    assert.equal("a", order)
  end)

  it("keeps what was said when the run is cancelled", function()
    helper.virtual(function()
      T.script(function(request)
        return { content = differ(request.member, 1), delay_ms = request.round == "debate" and 400 or 0 }
      end)
      local made = T.council { rounds = { { type = "independent_analysis" }, { type = "debate" } } }
      local result = require("curia").run(made, "x", { deadline_ms = 1000 })
      local iterations = result.rounds[2].metadata.iterations
      assert.equal("ok", iterations[1].results.a.status)
      assert.equal(2, #iterations)
    end)
  end)

  it("needs somebody to debate with", function()
    local round, _, _, _, err = debate(differ, {}, { ids = { "a" } })
    assert.equal("nothing_to_debate", round.results.a.error.code)
    assert.is_nil(err)
  end)

  it("refuses what it cannot do", function()
    for _, options in ipairs { { challenger = "none" }, { max_rounds = 0 }, { ["until"] = 3 } } do
      options.type = "debate"
      local _, err = T.ask { rounds = { options } }
      assert.equal("invalid_council", err.kind)
    end
  end)

  it("wants an answer beside the word on agreement", function()
    local round = debate(function() return "AGREED: yes" end)
    assert.same({ "invalid_output" }, { round.results.a.status })
  end)
end)
