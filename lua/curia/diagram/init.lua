--- Diagrams of councils and runs, by the names of their forms.
local sequence = require "curia.diagram.sequence"
local suggest = require "curia.suggest"

local M = {}

--- The forms of a council's diagram.
M.forms = { "mermaid", "ascii" }

local DRAW = {
  mermaid = function(graph) return require("curia.diagram.mermaid").draw(graph) end,
  ascii = function(graph) return require("curia.diagram.ascii").draw(graph) end,
}

-- Raises at the caller of the function that calls it.
local function check_form(form, forms)
  for _, known in ipairs(forms) do
    if form == known then return end
  end
  error(suggest.message("form of a diagram", form, forms), 3)
end

--- Draws a graph.
---@param graph curia.Graph
---@param form "mermaid"|"ascii" any other raises
---@return string
function M.draw(graph, form)
  check_form(form, M.forms)
  return DRAW[form](graph)
end

local function graph_of(source)
  local of_council = type(source) == "table" and source.graph
  return type(of_council) == "function" and source:graph() or nil
end

--- `curia.sequence_diagram(events|council, "mermaid")`: a run as it went, from its events; or a council as a run of
--- it would go.
---@param source curia.Event[]|curia.Council
---@param form? "mermaid" any other raises
---@return string
function M.sequence(source, form)
  check_form(form or "mermaid", { "mermaid" })
  local graph = graph_of(source)
  if graph then return sequence.of_graph(graph) end
  if type(source) ~= "table" then
    error(("bad argument #1 (a council or a list of events expected, not a %s)"):format(type(source)), 2)
  end
  return sequence.of_events(source)
end

return M
