--- Scripted answers by member and round, each of which knows whether it was asked for.
--
-- A node is what one place of the script holds: `value` (given each time), `list` (one after the other) or
-- `rounds` (a node for each round).
local ballots = require "curia.testing.ballot"
local errors = require "curia.errors"
local fields = require "curia.script.fields"
local scripts = require "curia.script"
local suggest = require "curia.suggest"

local M = {}

---@class curia.testing.Node
---@field path string where it stands: "skeptic.vote[2]"
---@field value? any
---@field list? curia.testing.Node[]
---@field rounds? table<string, curia.testing.Node>
---@field used? boolean

local function is_answer(value)
  for name in pairs(value) do
    if fields.answer[name] then return true end
  end
  return false
end

local function misuse(path, message)
  error(("testing.script: %s: %s"):format(path, message), 0)
end

-- A ballot or an answer to a schema is what its JSON says.
local function as_answer(value)
  if type(value) ~= "table" or is_answer(value) and not ballots.is(value) then return value end
  return { content = value }
end

local function leaf(path, value)
  local answer = as_answer(value)
  local made, err = scripts.new(answer)
  if not made then misuse(path, (err.message:gsub("^script: ", ""))) end
  return { path = path, value = answer }
end

local function leaves(path, value)
  if type(value) ~= "table" or #value == 0 then return leaf(path, value) end
  local list = {}
  for i, item in ipairs(value) do list[i] = leaf(("%s[%d]"):format(path, i), item) end
  return { path = path, list = list, given = 0 }
end

local function by_round(path, value, rounds)
  local made = {}
  for name, item in pairs(value) do
    if rounds and not rounds[name] then
      misuse(path, ("there is no round '%s'%s"):format(tostring(name), suggest.hint(tostring(name), rounds)))
    end
    made[name] = leaves(path .. "." .. name, item)
  end
  return { path = path, rounds = made }
end

--- The answers of one member. Raises where they cannot be used.
---@param path string of the member
---@param value any a text, an answer, a ballot, a function, a list of these, or these by round
---@param rounds? table<string, true> the council's; nil where any name may be one
---@return curia.testing.Node
function M.of(path, value, rounds)
  if type(value) ~= "table" or #value > 0 or ballots.is(value) or is_answer(value) then return leaves(path, value) end
  if next(value) == nil then misuse(path, "an answer is expected, not an empty table") end
  return by_round(path, value, rounds)
end

local function missing(request, why)
  return errors.new("script", ("member %s, round %s: %s"):format(request.member, request.round, why))
end

local function no_round(node, request)
  local names = {}
  for name in pairs(node.rounds) do names[#names + 1] = name end
  table.sort(names)
  return missing(request, ("no answer is scripted for this round%s; there are answers for %s"):format(
    suggest.hint(request.round, names), table.concat(names, ", ")))
end

local function next_of_list(node, request)
  node.given = node.given + 1
  local item = node.list[node.given]
  if item then return item end
  return nil, missing(request, ("the list %s ends with answer %d, and this is request %d"):format(
    node.path, #node.list, node.given))
end

--- The next answer to a request, as it was scripted.
---@param node curia.testing.Node
---@param request table neutral request
---@return any
---@return curia.Error? err kind `script`: there is none
function M.next(node, request)
  if node.rounds then
    local of_round = node.rounds[request.round]
    if not of_round then return nil, no_round(node, request) end
    return M.next(of_round, request)
  end
  local item, err = node, nil
  if node.list then item, err = next_of_list(node, request) end
  if not item then return nil, err end
  item.used = true
  return item.value
end

--- Adds the paths of the answers that were never asked for.
---@param node curia.testing.Node
---@param paths string[]
function M.unused(node, paths)
  for _, inner in pairs(node.rounds or node.list or {}) do M.unused(inner, paths) end
  if not (node.rounds or node.list or node.used) then paths[#paths + 1] = node.path end
end

return M
