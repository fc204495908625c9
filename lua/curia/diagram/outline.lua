--- A graph as it is drawn: the rounds in their order, each with what it contains; then the sub-councils.
local M = {}

---@class curia.Outline
---@field input table the node
---@field output table
---@field rounds curia.OutlineRound[]
---@field sub_councils {node: table, rounds: curia.OutlineRound[]}[] each once, those inside others among them

---@class curia.OutlineRound
---@field node table
---@field router? table
---@field members {node: table, tools: table[]}[] the chair among them
---@field rounds curia.OutlineRound[] the rounds that it repeats

local function index(graph)
  local nodes, targets, contained = {}, {}, {}
  for _, node in ipairs(graph.nodes) do nodes[node.id], targets[node.id] = node, {} end
  for _, edge in ipairs(graph.edges) do
    table.insert(targets[edge.from], { kind = edge.kind, node = nodes[edge.to] })
    if edge.kind == "contains" then contained[edge.to] = true end
  end
  return { nodes = nodes, targets = targets, contained = contained }
end

-- Where the edges of a kind lead to, each node once.
local function targets(known, node, kind)
  local found, seen = {}, {}
  for _, target in ipairs(known.targets[node.id]) do
    if target.kind == kind and not seen[target.node] then found[#found + 1] = target.node end
    seen[target.node] = seen[target.node] or target.kind == kind
  end
  return found
end

local function outline_round(known, node)
  local round = { node = node, members = {}, rounds = {}, router = known.nodes[node.router] }
  for _, inner in ipairs(targets(known, node, "contains")) do
    if inner.kind == "round" then table.insert(round.rounds, outline_round(known, inner))
    else table.insert(round.members, { node = inner, tools = targets(known, inner, "invokes") }) end
  end
  return round
end

local function outline_rounds(known, nodes)
  local list = {}
  for i, node in ipairs(nodes) do list[i] = outline_round(known, node) end
  return list
end

local function top_rounds(graph, known)
  local nodes = {}
  for _, node in ipairs(graph.nodes) do
    if node.kind == "round" and not known.contained[node.id] then nodes[#nodes + 1] = node end
  end
  return nodes
end

---@param graph curia.Graph
---@return curia.Outline
function M.of(graph)
  local known = index(graph)
  local outline = {
    input = known.nodes.input, output = known.nodes.output, sub_councils = {},
    rounds = outline_rounds(known, top_rounds(graph, known)),
  }
  for _, node in ipairs(graph.nodes) do
    if node.kind == "sub_council" then
      local rounds = outline_rounds(known, targets(known, node, "contains"))
      if #rounds > 0 then table.insert(outline.sub_councils, { node = node, rounds = rounds }) end
    end
  end
  return outline
end

-- ---- what is said of a node ---------------------------------------------------------------------------

local SEES = {
  original = "sees the question",
  previous_round = "sees the others' answers",
  all_prior = "sees all that was said",
}

local REPEATED = "repeated, at most %d times"

--- Facts about a round, each in a few words.
---@param round curia.OutlineRound
---@return string[]
function M.facts(round)
  local node, facts = round.node, {}
  if SEES[node.input_scope] then facts[1] = SEES[node.input_scope] .. (node.anonymized and ", without names" or "") end
  if node.sequential and #round.members > 1 then facts[#facts + 1] = "one after another" end
  if #round.rounds > 0 then facts[#facts + 1] = REPEATED:format(node.at_most or 3) end
  if node.rule then facts[#facts + 1] = "decides by " .. node.rule
  elseif node.decides then facts[#facts + 1] = "decides" end
  return facts
end

--- What answers for a member: its model, its council.
---@param node table
---@return string?
function M.answers_for(node)
  return node.kind == "sub_council" and "council " .. tostring(node.council or "?") or node.model or node.role
end

return M
