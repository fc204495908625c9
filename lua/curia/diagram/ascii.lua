--- A council drawn with the characters of a typewriter: rounds from top to bottom, members side by side.
local block = require "curia.diagram.block"
local outlines = require "curia.diagram.outline"
local width = require "curia.view.width"

local M = {}

local COLUMNS = 80
local LONGEST = 32 -- columns of a label
local FRAME = 4    -- columns that a frame adds

local ARROW = block.text { "|", "v" }

local function label(text)
  return width.cut((width.clean(text):gsub("%s+", " ")), LONGEST)
end

local function names(nodes)
  local list = {}
  for i, node in ipairs(nodes) do list[i] = node.label end
  return table.concat(list, ", ")
end

local function member_text(member)
  local node = member.node
  local lines, answers = { label(node.label) }, outlines.answers_for(node)
  if answers then lines[#lines + 1] = label(answers) end
  if #member.tools > 0 then lines[#lines + 1] = label("uses " .. names(member.tools)) end
  return block.text(lines)
end

-- The members' boxes have one height, so that they stand in a row.
local function member_boxes(members)
  local texts, height = {}, 0
  for i, member in ipairs(members) do
    texts[i] = member_text(member)
    height = math.max(height, #texts[i])
  end
  for i, text in ipairs(texts) do texts[i] = block.frame(text, { height = height }) end
  return texts
end

local function facts_of(round)
  local facts = {}
  for i, fact in ipairs(outlines.facts(round)) do facts[i] = width.clean(fact) end
  if round.router then facts[#facts + 1] = ("%s chooses who is asked"):format(label(round.router.label)) end
  return block.text(facts)
end

local draw_round

local function round_content(round, columns)
  local parts = { facts_of(round) }
  for i, inner in ipairs(round.rounds) do parts[#parts + 1] = draw_round(inner, i, columns) end
  if #round.members > 0 then parts[#parts + 1] = block.beside(member_boxes(round.members), columns) end
  return block.stack(parts)
end

-- A round with a name of its own says what kind of round it is.
local function title_of(node)
  if not node.type or node.type == node.label then return label(node.label) end
  return ("%s (%s)"):format(label(node.label), label(node.type))
end

function draw_round(round, number, columns, least)
  return block.frame(round_content(round, columns - FRAME), {
    title = ("%d %s"):format(number, title_of(round.node)), columns = least,
  })
end

-- All rounds are as wide as the widest.
local function draw_rounds(rounds)
  local least, drawn = 0, {}
  for i, round in ipairs(rounds) do least = math.max(least, draw_round(round, i, COLUMNS).columns - FRAME) end
  for i, round in ipairs(rounds) do drawn[i] = draw_round(round, i, COLUMNS, least) end
  return drawn
end

local function chain(blocks)
  local linked = {}
  for i, one in ipairs(blocks) do
    if i > 1 then linked[#linked + 1] = ARROW end
    linked[#linked + 1] = one
  end
  return block.stack(linked)
end

local function boxed(node)
  return block.frame(block.text { label(node.label) })
end

local function draw_council(outline)
  local blocks = draw_rounds(outline.rounds)
  table.insert(blocks, 1, boxed(outline.input))
  blocks[#blocks + 1] = boxed(outline.output)
  return block.render(chain(blocks))
end

local function draw_sub_council(sub)
  local title = ("council %s, which answers for %s:"):format(label(sub.node.council or "?"), label(sub.node.label))
  return title .. "\n\n" .. block.render(chain(draw_rounds(sub.rounds)))
end

--- Draws a graph, in 80 columns where its labels allow. A council in a council is drawn behind it.
---@param graph curia.Graph
---@return string
function M.draw(graph)
  local outline = outlines.of(graph)
  local parts = { draw_council(outline) }
  for _, sub in ipairs(outline.sub_councils) do parts[#parts + 1] = draw_sub_council(sub) end
  return table.concat(parts, "\n")
end

return M
