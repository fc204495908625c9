local outlines = require "curia.diagram.outline"
local support = dofile "spec/diagram/support.lua"

describe("curia.diagram.outline", function()
  local outline

  before_each(function() outline = outlines.of(support.council():graph(support.config())) end)

  local function ids(members)
    local list = {}
    for i, member in ipairs(members) do list[i] = member.node.label end
    return list
  end

  it("has the rounds in their order, with what they contain", function()
    assert.equal(4, #outline.rounds)
    assert.same({ "a", "b", "c" }, ids(outline.rounds[1].members))
    assert.same({ "a", "b" }, ids(outline.rounds[2].members))
    assert.same({ "chair" }, ids(outline.rounds[4].members))
    assert.equal("router", outline.rounds[2].router.label)
    assert.is_nil(outline.rounds[1].router)
    assert.same({ {}, "think" }, { outline.rounds[3].members, outline.rounds[3].rounds[1].node.label })
    assert.same({ "question", "answer" }, { outline.input.label, outline.output.label })
  end)

  it("names a member's tools once", function()
    local tools = outline.rounds[1].members[1].tools
    assert.same({ "search", "calc" }, { tools[1].label, tools[2].label })
    assert.equal(2, #tools)
  end)

  it("has the sub-councils apart", function()
    local sub = outline.sub_councils[1]
    assert.same({ 1, "c", 2 }, { #outline.sub_councils, sub.node.label, #sub.rounds })
    assert.same({ "x" }, ids(sub.rounds[1].members))
  end)

  it("says in words what a round does", function()
    local node = { input_scope = "previous_round", anonymized = true, sequential = true, rule = "borda", decides = true }
    assert.same({ "sees the others' answers, without names", "one after another", "decides by borda" },
      outlines.facts { node = node, members = { {}, {} }, rounds = {} })
    assert.same({ "sees the question" }, outlines.facts { node = { input_scope = "original" }, members = {}, rounds = {} })
    assert.same({ "repeated, at most 4 times" }, outlines.facts(outline.rounds[3]))
    assert.same({ "decides" }, outlines.facts { node = { decides = true }, members = {}, rounds = {} })
  end)

  it("says what answers for a member", function()
    assert.equal("one/large", outlines.answers_for(outline.rounds[1].members[1].node))
    assert.equal("council experts", outlines.answers_for(outline.rounds[1].members[3].node))
    assert.equal("sceptic", outlines.answers_for { kind = "member", role = "sceptic" })
    assert.is_nil(outlines.answers_for { kind = "member" })
  end)
end)
