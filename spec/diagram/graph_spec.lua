local council = require "curia.council"
local dsl = require "curia.language.dsl"
local json = require "curia.json"
local support = dofile "spec/diagram/support.lua"

local function edges_of(graph, kind)
  local list = {}
  for _, edge in ipairs(graph.edges) do
    if edge.kind == kind then list[#list + 1] = edge.from .. " > " .. edge.to end
  end
  return list
end

local function node(graph, id)
  for _, found in ipairs(graph.nodes) do
    if found.id == id then return found end
  end
end

describe("curia.diagram.graph", function()
  local config, graph

  before_each(function()
    config = support.config()
    graph = support.council():graph(config)
  end)

  it("has a node for everything, in a stable order", function()
    local ids = {}
    for i, found in ipairs(graph.nodes) do ids[i] = found.id end
    assert.same({
      "input", "member:a", "tool:search", "tool:calc", "member:b", "sub_council:c", "sub_council:c/member:x",
      "sub_council:c/chair:chair", "sub_council:c/round:1", "sub_council:c/round:2", "chair:chair", "round:1", "round:2",
      "round:2/router", "round:3", "round:3/round:1", "round:4", "output",
    }, ids)
    assert.same(graph, support.council():graph(config))
    assert.is_string(json.encode(graph))
  end)

  it("has the kinds of nodes of the specification", function()
    local kinds = {}
    for _, found in ipairs(graph.nodes) do kinds[found.kind] = true end
    for _, kind in ipairs { "input", "output", "round", "member", "sub_council", "chair", "router", "tool" } do
      assert.is_true(kinds[kind], kind)
    end
  end)

  it("says what is known of a node", function()
    assert.same({ id = "member:a", kind = "member", label = "a", model = "one/large" }, node(graph, "member:a"))
    assert.same({ id = "member:b", kind = "member", label = "b", model = "profile plain", role = "sceptic" },
      node(graph, "member:b"))
    assert.same({ id = "sub_council:c", kind = "sub_council", label = "c", council = "experts" }, node(graph, "sub_council:c"))
    assert.equal("Lua", node(graph, "sub_council:c/chair:chair").model)
    local second = node(graph, "round:2")
    assert.same({ "second look", "review", "borda", true }, { second.label, second.type, second.rule, second.decides })
    assert.equal(4, node(graph, "round:3").at_most)
  end)

  it("names the rule that decides: the round's, a function among them, else its module's", function()
    config.registry:register("round", "rank", { build = print, aggregate = print, rule = "peer_ranking" })
    local ranked = dsl.council "c" { dsl.round "rank" {}, dsl.round "rank" { rule = "borda" }, dsl.round "think" { rule = print } }
      :graph(config)
    assert.same({ "peer_ranking", "borda", "a rule of its own" },
      { node(ranked, "round:1").rule, node(ranked, "round:2").rule, node(ranked, "round:3").rule })
    assert.is_true(node(ranked, "round:1").decides)
  end)

  it("leads from the input through the rounds to the output", function()
    assert.same({ "input > round:1", "round:1 > round:2", "round:2 > round:3", "round:4 > output" }, edges_of(graph, "feeds"))
    assert.same({ "sub_council:c/round:1 > sub_council:c/round:2", "round:3 > round:4" }, edges_of(graph, "aggregates"))
  end)

  it("knows what contains what", function()
    assert.same({
      "sub_council:c/round:1 > sub_council:c/member:x", "sub_council:c > sub_council:c/round:1",
      "sub_council:c/round:2 > sub_council:c/chair:chair", "sub_council:c > sub_council:c/round:2",
      "round:1 > member:a", "round:1 > member:b", "round:1 > sub_council:c", "round:2 > member:a", "round:2 > member:b",
      "round:3/round:1 > member:b", "round:3 > round:3/round:1", "round:4 > chair:chair",
    }, edges_of(graph, "contains"))
  end)

  it("knows routers and tools", function()
    assert.same({ "round:2/router > member:a", "round:2/router > member:b" }, edges_of(graph, "routes_to"))
    assert.same({ "member:a > tool:search", "member:a > tool:calc", "member:a > tool:search", "member:b > tool:search",
      "chair:chair > tool:search" }, edges_of(graph, "invokes"))
    local routed = dsl.council "c" { router = "by_topic", dsl.member "a" {}, dsl.member "b" {},
      dsl.round "think" { members = { "a" } }, dsl.round "review" {} }:graph(config)
    assert.same({ "router > member:a", "router > member:b" }, edges_of(routed, "routes_to"))
    assert.same({ "by_topic", "router", "router" },
      { node(routed, "router").label, node(routed, "round:1").router, node(routed, "round:2").router })
  end)

  it("shows free Lua as one round", function()
    local free = dsl.council "free" { dsl.member "a" {}, dsl.chair {}, run = print }:graph(config)
    assert.same({ "input > round:1", "round:1 > output" }, edges_of(free, "feeds"))
    assert.same({ "round:1 > member:a", "round:1 > chair:chair" }, edges_of(free, "contains"))
  end)

  it("follows councils by name, data among them, but none into itself", function()
    config.registry:register("council", "loop", { members = { { id = "x", council = "loop" } }, rounds = { "think" } })
    local outer = dsl.council "outer" { dsl.member "m" { council = "loop" }, dsl.member "n" { council = "nowhere" },
      dsl.round "think" {} }:graph(config)
    assert.is_table(node(outer, "sub_council:m/sub_council:x"))
    assert.is_nil(node(outer, "sub_council:m/sub_council:x/round:1"))
    assert.equal("nowhere", node(outer, "sub_council:n").council)
  end)

  it("is there for councils that are not valid", function()
    for _, body in ipairs {
      {}, { members = 7, rounds = "x" }, { members = { 7, {} }, rounds = { 7, { type = {} }, {} } },
      { dsl.member "a" { model = {}, council = 7, tools = "x" }, dsl.round "thnik" { members = { "z", 7 }, rule = {} } },
      { dsl.chair { council = "c" }, dsl.round "think" { members = 7, router = 7 } },
    } do
      assert.equal("input", council.new("c", body):graph(config).nodes[1].id)
    end
  end)
end)
