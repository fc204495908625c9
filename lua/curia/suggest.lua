--- The nearest known name, for "did you mean".
local M = {}

-- Names are identifiers and short labels; beyond this a distance costs more than it can tell.
local MAX_LENGTH = 64

local function row(length)
  local cells = {}
  for i = 0, length do cells[i] = i end
  return cells
end

local function cell(a, b, i, j, before, previous, current)
  local same = a:byte(i) == b:byte(j)
  local best = math.min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (same and 0 or 1))
  local swapped = i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j)
  return swapped and math.min(best, before[j - 2] + 1) or best
end

--- Edits between two texts: insertions, deletions, replacements and swaps of neighbours
--- (Damerau-Levenshtein, each part edited once), in bytes.
---@param a string
---@param b string
---@return integer
function M.distance(a, b)
  local before, previous = nil, row(#b)
  for i = 1, #a do
    local current = { [0] = i }
    for j = 1, #b do current[j] = cell(a, b, i, j, before, previous, current) end
    before, previous = previous, current
  end
  return previous[#b]
end

-- A third of the name may be wrong: more than that is another word, not a slip.
local function limit(name)
  return math.max(1, #name // 3)
end

local function names_of(candidates)
  local names = {}
  for key, value in pairs(candidates) do
    names[#names + 1] = type(key) == "string" and key or value
  end
  table.sort(names)
  return names
end

local function nearest_by_distance(name, names)
  local best, best_distance = nil, limit(name) + 1
  for _, candidate in ipairs(names) do
    if math.abs(#candidate - #name) < best_distance then
      local distance = M.distance(name, candidate:lower())
      if distance < best_distance then best, best_distance = candidate, distance end
    end
  end
  return best
end

local function only_completion(name, names)
  local found
  for _, candidate in ipairs(names) do
    if #name >= 3 and candidate:lower():sub(1, #name) == name then
      if found then return nil end
      found = candidate
    end
  end
  return found
end

--- The candidate that was most likely meant, or nil if none is near. Letter case is ignored; among
--- equally near names the alphabetically first is taken.
---@param name any what was written (anything but a text has no nearest name)
---@param candidates table a list of names, or a table whose keys are names
---@return string?
function M.nearest(name, candidates)
  if type(name) ~= "string" or #name > MAX_LENGTH then return nil end
  local names = names_of(candidates)
  local lower = name:lower()
  return nearest_by_distance(lower, names) or only_completion(lower, names)
end

--- The end of an error message: "; did you mean 'x'?", or nothing.
---@param name any
---@param candidates table
---@return string
function M.hint(name, candidates)
  local nearest = M.nearest(name, candidates)
  return nearest and ("; did you mean '%s'?"):format(nearest) or ""
end

--- A whole message: "unknown profile 'fsat'; did you mean 'fast'?"
---@param kind string what the name should have been the name of
---@param name any
---@param candidates table
---@return string
function M.message(kind, name, candidates)
  return ("unknown %s '%s'%s"):format(kind, tostring(name), M.hint(name, candidates))
end

return M
