--- A council as a Mermaid flowchart: a box for each round, the members in it, the sub-councils beside it.
local outlines = require "curia.diagram.outline"
local width = require "curia.view.width"

local M = {}

local LONGEST = 60 -- columns of a label

-- What has a meaning somewhere in Mermaid's grammar, its comments, its directives, Markdown or HTML stands as the
-- number of its character, which Mermaid puts back when it draws.
local function escaped(char)
  return ("#%d;"):format(char:byte())
end

local INNER = "\1" -- stands for an underscore inside a word, which means nothing; no clean text has it

local function escape_all(line)
  line = line:gsub("%f[%w](%w+)_%f[%w]", "%1" .. INNER):gsub("[^%w %.,/()?!'=+" .. INNER .. "\128-\255-]", escaped)
  return (line:gsub(INNER, "_"))
end

-- A text that begins like an item of a list would be taken for one.
local function escape_item(line)
  return (line:gsub("^[-+]", escaped):gsub("^(%d+)([.)])", function(number, char) return number .. escaped(char) end))
end

--- A text that cannot leave its place in a diagram.
---@param text any
---@param columns? integer what is longer is cut (60)
---@return string not empty
function M.escape(text, columns)
  local line = width.clean(tostring(text)):gsub("%s+", " "):gsub("^ ", ""):gsub(" $", "")
  if line == "" then return "-" end
  return escape_item(escape_all(width.cut(line, columns or LONGEST)))
end

---@class curia.MermaidChart
---@field lines string[]
---@field count integer nodes so far
---@field indent string
---@field ids table<any, string> Mermaid's ids of what was drawn

local function add(chart, text, ...)
  table.insert(chart.lines, chart.indent .. (select("#", ...) > 0 and text:format(...) or text))
end

-- Ids are made, never taken from a council: "end" and "graph" are words of Mermaid's.
local function new_id(chart, key, letter)
  chart.count = chart.count + 1
  local id = ("%s%d"):format(letter, chart.count)
  chart.ids[key] = chart.ids[key] or id
  return id
end

local function within(chart, fn, ...)
  local outer = chart.indent
  chart.indent = outer .. "  "
  fn(chart, ...)
  chart.indent = outer
end

local SHAPES = {
  member = '%s["%s"]', chair = '%s(["%s"])', sub_council = '%s[["%s"]]', input = '%s(["%s"])', output = '%s(["%s"])',
  tool = '%s[/"%s"/]', router = '%s{"%s"}',
}

local function label_of(node)
  local answers = outlines.answers_for(node)
  return M.escape(node.label) .. (answers and "<br/>" .. M.escape(answers) or "")
end

local function add_node(chart, key, node)
  local id = new_id(chart, key, node.kind:sub(1, 1))
  add(chart, SHAPES[node.kind], id, label_of(node))
  return id
end

local function round_label(round, number)
  local node = round.node
  local kind = node.type and node.type ~= node.label and (" (%s)"):format(node.type) or ""
  local parts = { M.escape(("%d %s%s"):format(number, node.label, kind)) }
  for _, fact in ipairs(outlines.facts(round)) do parts[#parts + 1] = M.escape(fact) end
  return table.concat(parts, "<br/>")
end

local add_round

local function round_content(chart, round)
  add(chart, "direction LR")
  for i, inner in ipairs(round.rounds) do add_round(chart, inner, i) end
  for _, member in ipairs(round.members) do
    local id = add_node(chart, member, member.node)
    chart.first[member.node] = chart.first[member.node] or id
  end
end

function add_round(chart, round, number)
  add(chart, 'subgraph %s["%s"]', new_id(chart, round, "r"), round_label(round, number))
  within(chart, round_content, round)
  add(chart, "end")
end

-- The rounds, and the arrows from one to the next; a router stands before its round.
local function add_chain(chart, rounds, before)
  for i, round in ipairs(rounds) do
    add_round(chart, round, i)
    local id = chart.ids[round]
    if round.router then
      local router = add_node(chart, { round }, round.router)
      add(chart, "%s -. chooses .-> %s", router, id)
    end
    if before then add(chart, "%s --> %s", before, id) end
    before = id
  end
  return before
end

local function add_sub_council(chart, sub)
  local id = new_id(chart, sub, "c")
  add(chart, 'subgraph %s["%s"]', id, M.escape("council " .. tostring(sub.node.council or "?")))
  within(chart, add_chain, sub.rounds)
  add(chart, "end")
  local member = chart.first[sub.node]
  if member then add(chart, "%s -. asks .-> %s", member, id) end
end

local function add_tools(chart, rounds, seen)
  for _, round in ipairs(rounds) do
    add_tools(chart, round.rounds, seen)
    for _, member in ipairs(round.members) do
      for _, tool in ipairs(seen[member.node] and {} or member.tools) do
        local id = chart.ids[tool] or add_node(chart, tool, tool)
        add(chart, "%s -. uses .-> %s", chart.first[member.node], id)
      end
      seen[member.node] = true
    end
  end
end

--- Draws a graph as a Mermaid flowchart.
---@param graph curia.Graph
---@return string
function M.draw(graph)
  local outline = outlines.of(graph)
  local chart = { lines = { "flowchart TD" }, indent = "  ", count = 0, ids = {}, first = {} }
  local last = add_chain(chart, outline.rounds, add_node(chart, "input", outline.input))
  add(chart, "%s --> %s", last, add_node(chart, "output", outline.output))
  for _, sub in ipairs(outline.sub_councils) do add_sub_council(chart, sub) end
  local seen = {}
  add_tools(chart, outline.rounds, seen)
  for _, sub in ipairs(outline.sub_councils) do add_tools(chart, sub.rounds, seen) end
  return table.concat(chart.lines, "\n") .. "\n"
end

return M
