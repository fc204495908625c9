--- The graph of a council: what stands in it and how it hangs together, as plain data in a stable order.
--
-- Nodes `{id, kind, label, ...}`, edges `{from, to, kind}`. Ids are paths: "round:2", "round:2/round:1" (a round in
-- a round), "member:skeptic", and "sub_council:experts/member:x" inside a member that is a council.
--   feeds        the input, the rounds one after another, the output
--   aggregates   what is said so far goes to the chair's round
--   contains     a round its members, or the round that it repeats; a sub-council its rounds
--   routes_to    a router the members that it may choose
--   invokes      a member its tools
local check = require "curia.language.check"
local json = require "curia.json"
local lower = require "curia.language.lower"
local rounds = require "curia.language.rounds"

local M = {}

-- How deep councils are followed, as in validation.
local MAX_DEPTH = 8

---@class curia.Graph
---@field council string
---@field nodes {id: string, kind: string, label: string}[]
---@field edges {from: string, to: string, kind: string}[]

---@class curia.GraphBuild
---@field graph curia.Graph
---@field known table<string, boolean> ids of nodes that there are
---@field registry curia.Registry
---@field open fun(member: table): curia.Council? the council that answers for a member
---@field stack string[] names of the councils around
---@field prefix string of all ids
---@field spec table
---@field ids table<string, string> nodes by the ids of members

local function add_node(build, id, kind, label, more)
  if build.known[id] then return id end
  local node = more or {}
  node.id, node.kind, node.label = id, kind, tostring(label)
  build.known[id] = true
  table.insert(build.graph.nodes, node)
  return id
end

local function add_edge(build, from, to, kind)
  table.insert(build.graph.edges, { from = from, to = to, kind = kind })
end

local function text(value)
  return type(value) == "string" and value or nil
end

local function is_list(value)
  return type(value) == "table" and value or {}
end

-- ---- members and their tools ------------------------------------------------------------------------

-- What answers for a member: its model as written, a profile, or Lua.
local function model_of(member, spec)
  local model, provider = text(member.model), text(member.provider)
  if member.run ~= nil then return "Lua" end
  if model then return provider and provider .. "/" .. model or model end
  local profile = text(member.profile) or text(spec.profile)
  return provider or profile and "profile " .. profile or nil
end

local function tool_name(tool)
  return text(tool) or type(tool) == "table" and text(tool.name) or "tools"
end

local function add_tools(build, from, tools)
  for _, tool in ipairs(is_list(tools)) do
    local name = tool_name(tool)
    add_edge(build, from, add_node(build, build.prefix .. "tool:" .. name, "tool", name), "invokes")
  end
end

local add_council

local function stands_in(stack, name)
  for _, outer in ipairs(stack) do
    if outer == name then return true end
  end
  return #stack >= MAX_DEPTH
end

-- A council that contains itself is not followed.
local function add_sub_council(build, member)
  local inner, id = build.open(member), build.prefix .. "sub_council:" .. tostring(member.id)
  local name = inner and inner.name or text(member.council)
  add_node(build, id, "sub_council", member.id, { council = name })
  if inner and not stands_in(build.stack, name) then add_council(build, inner, id) end
  return id
end

local function add_member(build, member, kind)
  if member.council ~= nil then return add_sub_council(build, member) end
  local id = ("%s%s:%s"):format(build.prefix, kind, tostring(member.id))
  add_node(build, id, kind, member.id, { model = model_of(member, build.spec), role = text(member.role) })
  add_tools(build, id, build.spec.tools)
  add_tools(build, id, member.tools)
  return id
end

local function add_members(build)
  for _, member in ipairs(build.spec.members) do
    if member then build.ids[tostring(member.id)] = add_member(build, member, "member") end
  end
  local chair = build.spec.chair
  if chair then build.ids[tostring(chair.id)] = add_member(build, chair, "chair") end
end

-- ---- rounds -------------------------------------------------------------------------------------------

local function chosen(build, round)
  local nodes = {}
  if type(round.members) == "table" then
    for _, id in ipairs(round.members) do nodes[#nodes + 1] = build.ids[id] end
    return nodes
  end
  for _, member in ipairs(build.spec.members) do
    if member then nodes[#nodes + 1] = build.ids[tostring(member.id)] end
  end
  return nodes
end

local function participants(build, round, module)
  local chair = build.spec.chair
  if not (module and rounds.is_chairs(round.type, module)) then return chosen(build, round) end
  return chair and { build.ids[tostring(chair.id)] } or {}
end

local function label_of(round, module)
  return text(round.name) or text(round.type) or module and text(module.name) or "round"
end

-- A module whose ballots are counted by a rule may say which: `rule = "borda"`.
local function rule_of(round, module)
  if round.rule ~= nil then return text(round.rule) or "a rule of its own" end
  return module and text(module.rule)
end

local function round_facts(round, module)
  local about = module and module.about or {}
  return {
    type = text(round.type), rule = rule_of(round, module),
    decides = round.rule ~= nil or module ~= nil and module.aggregate ~= nil,
    input_scope = about.input_scope, sharing = about.sharing,
    anonymized = about.anonymized, sequential = about.sequential,
    at_most = math.tointeger(round.max_iterations or round.max_rounds),
  }
end

-- A round's own router, else the council's.
local function add_router(build, round, id, nodes)
  if round.router == nil and build.spec.router == nil then return nil end
  local own = round.router ~= nil
  local router = own and id .. "/router" or build.prefix .. "router"
  local label = text(round.router) or text(not own and build.spec.router or nil) or "router"
  if build.known[router] then return router end
  if not own then nodes = chosen(build, {}) end
  add_node(build, router, "router", label)
  for _, node in ipairs(nodes) do add_edge(build, router, node, "routes_to") end
  return router
end

local add_round

-- The round that a round repeats stands in an option of its own.
local function inner_rounds(round, module)
  local found, options = {}, module and module.options or {}
  for _, name in ipairs(check.sorted_keys(options)) do
    if options[name].round and round[name] ~= nil then found[#found + 1] = lower.round_record(round[name]) end
  end
  return found
end

local function fill_round(build, round, module, id)
  local inner = inner_rounds(round, module)
  for i, nested in ipairs(inner) do
    add_edge(build, id, add_round(build, nested, ("%s/round:%d"):format(id, i)), "contains")
  end
  if #inner > 0 then return end
  local nodes = participants(build, round, module)
  for _, node in ipairs(nodes) do add_edge(build, id, node, "contains") end
  if not (module and module.chair) then return add_router(build, round, id, nodes) end
end

function add_round(build, round, id)
  local module = rounds.resolve(round.type, build.registry)
  local facts = round_facts(round, module)
  add_node(build, id, "round", label_of(round, module), facts)
  facts.router = fill_round(build, round, module, id)
  return id, module ~= nil and rounds.is_chairs(round.type, module)
end

-- ---- councils -----------------------------------------------------------------------------------------

-- Free Lua in place of rounds is one round, of which nothing but its members is known.
local function add_free(build, id)
  add_node(build, id, "round", "run", { type = "run", decides = false })
  for _, node in ipairs(chosen(build, {})) do add_edge(build, id, node, "contains") end
  if build.spec.chair then add_edge(build, id, build.ids[tostring(build.spec.chair.id)], "contains") end
  return id
end

-- All rounds in their order: each has the edge that leads to it.
local function add_rounds(build, parent, input)
  local before = input
  for i, round in ipairs(rounds.all(build.spec, build.registry)) do
    if round then
      local id, is_chairs = add_round(build, round, ("%sround:%d"):format(build.prefix, i))
      if parent then add_edge(build, parent, id, "contains") end
      if before then add_edge(build, before, id, is_chairs and "aggregates" or "feeds") end
      before = id
    end
  end
  return before
end

local function fill_council(build, parent, input)
  add_members(build)
  if build.spec.run == nil then return add_rounds(build, parent, input) end
  local id = add_free(build, build.prefix .. "round:1")
  if parent then add_edge(build, parent, id, "contains") end
  if input then add_edge(build, input, id, "feeds") end
  return id
end

function add_council(build, council, parent)
  local stack = { table.unpack(build.stack) }
  stack[#stack + 1] = council.name
  fill_council({
    graph = build.graph, known = build.known, registry = build.registry, open = build.open, stack = stack,
    prefix = parent .. "/", spec = council:spec(), ids = {},
  }, parent)
end

--- The graph of a council, valid or not.
---@param council curia.Council
---@param registry curia.Registry
---@param open fun(member: table): curia.Council? the council that answers for a member, if it is known
---@return curia.Graph
function M.of(council, registry, open)
  local graph = { council = council.name, nodes = json.array(), edges = json.array() }
  local build = {
    graph = graph, known = {}, registry = registry, open = open, stack = { council.name }, prefix = "",
    spec = council:spec(), ids = {},
  }
  add_node(build, "input", "input", "question")
  local last = fill_council(build, nil, "input")
  add_edge(build, last, add_node(build, "output", "output", "answer"), "feeds")
  return graph
end

return M
