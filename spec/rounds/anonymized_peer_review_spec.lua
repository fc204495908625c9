local json = require "curia.json"
local R = require "spec.rounds.support"
local T = require "spec.engine.support"

local IDS = { "a", "b", "c" }
local LABELS = { a = "Response A", b = "Response B", c = "Response C" }

local function ballot(...)
  return json.encode { ordering = { ... }, rationale = "because" }
end

-- Runs the round; `judge(member)` gives each one's ballot, as text.
local function review(judge, options, body)
  options = options or {}
  options.type = "anonymized_peer_review"
  local asked, result, err = R.prompts({ "independent_analysis", options }, function(round, member)
    if round == "independent_analysis" then return R.tell(round, member) end
    return judge(member)
  end, body)
  return result.rounds[2], asked.anonymized_peer_review, result, err
end

-- Everybody ranks the others in the order of the alphabet.
local function alphabetically(member)
  local ordering = {}
  for _, id in ipairs(IDS) do
    if id ~= member then ordering[#ordering + 1] = LABELS[id] end
  end
  return ballot(table.unpack(ordering))
end

describe("anonymized_peer_review", function()
  it("shows the others' answers under labels, the same for all judges, no names, not one's own", function()
    local _, asked = review(alphabetically)
    assert.is_true(R.holds(asked.a, '<answer from="Response B">\n<independent_analysis by b>'))
    assert.is_true(R.holds(asked.c, '<answer from="Response B">\n<independent_analysis by b>'))
    for id, label in pairs(LABELS) do
      assert.is_false(R.holds(asked[id], label), id)
      assert.is_false(R.holds(asked[id], ('from="%s"'):format(id)))
    end
    assert.is_true(R.holds(asked.a, 'The labels are: "Response B", "Response C".'))
  end)

  it("decides by peer ranking, with the map of labels", function()
    local round, _, result = review(alphabetically)
    local decision = round.decision
    assert.equal(decision, result.decision)
    assert.same({ "a", "b", "c" }, { table.unpack(decision.ranking) })
    assert.equal("a", decision.winner)
    assert.same({ ["Response A"] = "a", ["Response B"] = "b", ["Response C"] = "c" }, decision.detail.label_to_id)
    assert.same(decision.detail.label_to_id, round.metadata.label_to_id)
    assert.equal(3, #decision.ballots_used)
    assert.equal(3, decision.effective_voters)
    assert.equal("because", decision.ballots_used[1].rationale)
  end)

  it("leaves nothing of its own in the result", function()
    local round = review(alphabetically)
    local names = {}
    for name in pairs(round.metadata) do names[#names + 1] = name end
    table.sort(names)
    assert.same({ "label_to_id", "texts" }, names)
  end)

  it("reads JSON, bare, fenced or in prose, and the list that some models write", function()
    for _, text in ipairs {
      '{"ordering": ["Response C", "Response B"]}',
      'First B.\n```json\n{"ordering": ["Response C", "Response B"]}\n```\nThat is all.',
      'I think {so}: {"ordering": ["response c.", "B"], "rationale": "x"} end',
      "Both are good.\n\nFINAL RANKING:\n1. Response C\n2. Response B\n",
      "FINAL RANKING\n1) **Response C**\n2) **Response B**",
      '{"verdict": "see below"}\nFINAL RANKING:\n1. Response C\n2. Response B',
    } do
      local round = review(function(member) return member == "a" and text or alphabetically(member) end)
      local parsed = round.results.a.response.parsed
      assert.same({ "c", "b" }, parsed.ordering, text)
    end
  end)

  it("keeps the judge's remarks", function()
    local round = review(function(member) return "Deep, but late. " .. alphabetically(member) end)
    assert.equal("Deep, but late.", round.results.a.response.parsed.remarks)
    assert.equal("because", round.results.a.response.parsed.rationale)
  end)

  it("counts a ballot that cannot be read as discarded, with its reason", function()
    for text, reason in pairs {
      ["I cannot decide."] = "no ordering could be read",
      ['{"ordering": []}'] = "no ordering could be read",
      ['{"ordering": "Response B"}'] = "no ordering could be read",
      [ballot("Response B", "Response X")] = "names no answer: Response X",
      [ballot("Response B", "Response B")] = "ranks an option twice: b",
      [ballot("Response A", "Response B")] = "judges its own answer",
      ['{"ordering": [1, 2]}'] = "names no answer: 1",
    } do
      local round = review(function(member) return member == "a" and text or alphabetically(member) end)
      assert.equal("ok", round.results.a.status)
      assert.same({ { voter = "a", reason = reason } }, { table.unpack(round.decision.discarded) })
      assert.equal(2, round.decision.effective_voters)
    end
  end)

  it("never takes an error for a ballot", function()
    local round = review(function(member)
      return member == "a" and { error = { status = 500, message = ballot("Response B", "Response C") }, } or alphabetically(member)
    end, nil, { retry = { attempts = 1 } })
    assert.equal("error", round.results.a.status)
    assert.equal(2, round.decision.effective_voters)
    assert.same({}, { table.unpack(round.decision.discarded) })
  end)

  it("judges the answers of those that answered", function()
    local asked, result = R.prompts({ "independent_analysis", "anonymized_peer_review" }, function(round, member)
      if round == "independent_analysis" then return member == "b" and { error = 401 } or R.tell(round, member) end
      return ballot(member == "a" and "Response B" or "Response A")
    end)
    assert.is_true(R.holds(asked.anonymized_peer_review.a, "independent_analysis by c"))
    assert.same({ ["Response A"] = "a", ["Response B"] = "c" }, result.decision.detail.label_to_id)
    assert.equal("ok", result.rounds[2].results.b.status)
  end)

  it("lets judges rank their own answer where it is told to", function()
    local round, asked = review(function() return ballot("Response B", "Response A", "Response C") end, { include_self = true })
    assert.is_true(R.holds(asked.b, "independent_analysis by b"))
    assert.equal("b", round.decision.winner)
    assert.equal(3, round.decision.detail.judges.b)
  end)

  it("orders the labels as told: stable, shuffled by the run's seed, as given, by a function", function()
    local function labels(options, seed)
      T.script("nothing to rank")
      options.type = "anonymized_peer_review"
      local result = T.ask({ ids = { "c", "a", "b" }, rounds = { { type = "independent_analysis" }, options } }, "Why?", { seed = seed })
      local map, text = result.rounds[2].metadata.label_to_id, ""
      for _, letter in ipairs { "A", "B", "C" } do text = text .. map[(options.prefix or "Response ") .. letter] end
      return text
    end
    assert.equal("abc", labels {})
    assert.equal("cab", labels { order = "as_given" })
    assert.equal("bac", labels { order = function() return { "b", "a", "c" } end })
    assert.equal("abc", labels { prefix = "Text " })
    local seen = {}
    for seed = 1, 40 do
      local text = labels({ order = "shuffle" }, seed)
      assert.equal(text, labels({ order = "shuffle" }, seed))
      seen[text] = true
    end
    local count = 0
    for _ in pairs(seen) do count = count + 1 end
    assert.equal(6, count)
  end)

  it("fails as a round when its order's function is wrong", function()
    T.script "x"
    local result, err = T.ask { rounds = { { type = "independent_analysis" },
      { type = "anonymized_peer_review", order = function() return { "a" } end } } }
    assert.equal("script", err and err.kind or result.errors[1].kind)
    assert.matches("left ids out", (err or result.errors[1]).message)
  end)

  it("is read in a time that grows with the text only", function()
    local bombs = { ("```\n"):rep(30000), "FINAL RANKING:" .. ("1"):rep(200000), ("{"):rep(20000), (" "):rep(200000) .. "x",
      "```" .. ("\n"):rep(100000), '{"ordering": ["' .. ("-"):rep(100000) .. '"]}', ('{"a":'):rep(20000) }
    local clock = require "curia.core.clock"
    for i, bomb in ipairs(bombs) do
      local began = clock.us()
      review(function(member) return member == "a" and bomb or alphabetically(member) end)
      assert.is_true(clock.us() - began < 60e6, i) -- far from what quadratic time would take
    end
  end)
end)
