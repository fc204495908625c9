--- Labels for answers, so that nobody knows whose they judge (SPEC 4). One map for all judges.
local M = {}

--- A, B, ... Z, AA, AB, ...
---@param i integer from 1
---@return string
function M.letter(i)
  local text = ""
  while i > 0 do
    i = i - 1
    text = string.char(65 + i % 26) .. text
    i = i // 26
  end
  return text
end

local function shuffled(ids, random)
  local order = table.move(ids, 1, #ids, 1, {})
  for i = #order, 2, -1 do
    local j = math.floor(random() * i) + 1
    order[i], order[j] = order[j], order[i]
  end
  return order
end

local function in_any_order(ids, given)
  local known, count = {}, 0
  for _, id in ipairs(ids) do known[id] = true end
  for _, id in ipairs(type(given) == "table" and given or {}) do
    if not known[id] then error(("order: the function named '%s', which is none of the ids, or is named twice"):format(
      tostring(id)), 3) end
    known[id], count = nil, count + 1
  end
  if count < #ids then error("order: the function left ids out", 3) end
  return given
end

local function ordered(ids, opts)
  local order = opts.order or "stable"
  if type(order) == "function" then return in_any_order(ids, order(table.move(ids, 1, #ids, 1, {}))) end
  if order == "as_given" then return ids end
  local sorted = table.move(ids, 1, #ids, 1, {})
  table.sort(sorted)
  if order == "shuffle" then return shuffled(sorted, opts.random or math.random) end
  if order ~= "stable" then
    error("order is stable, shuffle, as_given or a function, not '" .. tostring(order) .. "'", 3)
  end
  return sorted
end

---@class curia.Labels
---@field order string[] ids in label order
---@field label_to_id table<string, string>
---@field id_to_label table<string, string>

--- Labels ids.
---@param ids string[]
---@alias curia.LabelOrder "stable"|"shuffle"|"as_given"|fun(ids: string[]): string[]
---@param opts? {order?: curia.LabelOrder, prefix?: string, random?: fun(): number}
---@return curia.Labels
function M.labels(ids, opts)
  opts = opts or {}
  local made = { order = ordered(ids, opts), label_to_id = {}, id_to_label = {} }
  for i, id in ipairs(made.order) do
    local label = (opts.prefix or "Response ") .. M.letter(i)
    made.label_to_id[label], made.id_to_label[id] = id, label
  end
  return made
end

-- Whoever writes more than this has written no label.
local LONGEST = 200

local function bare(text)
  local from = text:find("%w")
  return from and text:lower():match(".*%w", from) or ""
end

--- The id that a label stands for, as models write it: "Response B", "response b.", "B".
---@param labels curia.Labels
---@param text any
---@return string? id nil when it names none
function M.restore(labels, text)
  if type(text) ~= "string" or #text > LONGEST then return nil end
  local exact = labels.label_to_id[text]
  if exact then return exact end
  local wanted = bare(text)
  for label, id in pairs(labels.label_to_id) do
    local full = bare(label)
    if wanted == full or wanted == full:match("(%w+)$") then return id end
  end
end

return M
