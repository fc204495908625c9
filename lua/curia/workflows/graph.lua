--- The order of steps: who stands before whom. Pure.
local M = {}

---@class curia.workflow.Node
---@field name string
---@field after string[]

local function by_name(nodes)
  local found = {}
  for _, node in ipairs(nodes) do found[node.name] = node end
  return found
end

--- A circle among the steps, or nil. Names that are no steps' are passed over.
---@param nodes curia.workflow.Node[]
---@return string[]? names the first is also the last
function M.cycle(nodes)
  local known, state, path = by_name(nodes), {}, {}
  local function visit(node)
    state[node.name] = "open"
    path[#path + 1] = node.name
    for _, name in ipairs(node.after) do
      local at = state[name] == "open"
      if at then return { name } end
      local found = known[name] and not state[name] and visit(known[name])
      if found then return found end
    end
    path[#path], state[node.name] = nil, "done"
  end
  for _, node in ipairs(nodes) do
    local found = not state[node.name] and visit(node)
    if found then
      local first = found[1]
      while path[1] ~= first do table.remove(path, 1) end
      path[#path + 1] = first
      return path
    end
  end
end

--- All steps that stand before one, however far.
---@param nodes curia.workflow.Node[]
---@param name string
---@return table<string, true>
function M.before(nodes, name)
  local known, found = by_name(nodes), {}
  local function collect(node)
    for _, other in ipairs(node.after) do
      if known[other] and not found[other] then
        found[other] = true
        collect(known[other])
      end
    end
  end
  collect(known[name])
  return found
end

--- The names, each behind all that stand before it; otherwise in their own order.
---@param nodes curia.workflow.Node[] without a circle
---@return string[]
function M.order(nodes)
  local known, placed, names = by_name(nodes), {}, {}
  local function place(node)
    if placed[node.name] then return end
    placed[node.name] = true
    for _, name in ipairs(node.after) do place(known[name]) end
    names[#names + 1] = node.name
  end
  for _, node in ipairs(nodes) do place(node) end
  return names
end

--- The steps behind which there is none.
---@param nodes curia.workflow.Node[]
---@return string[]
function M.last(nodes)
  local has_next, names = {}, {}
  for _, node in ipairs(nodes) do
    for _, name in ipairs(node.after) do has_next[name] = true end
  end
  for _, node in ipairs(nodes) do
    if not has_next[node.name] then names[#names + 1] = node.name end
  end
  return names
end

return M
