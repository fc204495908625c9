--- Tool calls: arguments read from the vendors' text or tables, and calls put together from the
-- fragments of a stream.
--
-- A call is `{id, name, arguments, raw}`. A vendor that gives no id gets `call_1`, `call_2`, ... with
-- `made_id = true`. Arguments that are no JSON object leave `arguments` nil and name the reason in
-- `fault`: cut-off calls end so, and some models write such things.
local json = require "curia.json"

local M = {}

local function object(value)
  return type(value) == "table" and not (json.is_array(value) and #value > 0)
end

--- Arguments from their text. No text, blanks and `null` are how vendors write "no arguments"; some
-- models encode the object twice.
---@param raw string
---@return table|nil arguments, string|nil fault
function M.arguments(raw)
  if not raw:find("%S") then return json.object() end
  local value, err = json.decode(raw)
  if value == nil then return nil, err.message end
  if value == json.null then return json.object() end
  if type(value) == "string" then value = json.decode(value) end
  if object(value) then return value end
  return nil, "the arguments are no JSON object"
end

local function call_of(position, id, name, arguments, raw, fault)
  if type(id) == "number" then id = tostring(id) end
  local made = type(id) ~= "string" or id == ""
  return {
    id = made and "call_" .. position or id, made_id = made or nil,
    name = type(name) == "string" and name or "", arguments = arguments, raw = raw, fault = fault,
  }
end

---@param position integer place among the calls of the answer
---@param id string|nil
---@param name string|nil
---@param raw string
---@return table call
function M.from_text(position, id, name, raw)
  local arguments, fault = M.arguments(raw)
  return call_of(position, id, name, arguments, raw, fault)
end

--- A call whose arguments came as an object.
---@param position integer
---@param id string|nil
---@param name string|nil
---@param arguments any
---@return table call
function M.from_table(position, id, name, arguments)
  if type(arguments) ~= "table" then
    return M.from_text(position, id, name, type(arguments) == "string" and arguments or "")
  end
  if next(arguments) == nil then arguments = json.object() end
  return call_of(position, id, name, arguments, json.encode(arguments) or "")
end

-- The call that a fragment goes on with: by index; without one the last, unless the fragment names a
-- call with no id or another one. A new id with a name opens a new call even under the same index, as
-- some servers give index 0 to all.
local function known_call(list, index, id, name)
  local call = list[#list]
  if index ~= nil then call = list.by_index[index] end
  if not call or not name then return call end
  if index == nil and not id then return nil end
  local other = id and call.id and id ~= call.id or index == nil and id ~= call.id
  return not other and call or nil
end

local function open_call(list, fragment, name)
  local id = fragment.id
  if id == "" then id = nil end
  local call = known_call(list, fragment.index, id, name)
  if not call then
    call = { pieces = {} }
    list[#list + 1] = call
    if fragment.index ~= nil then list.by_index[fragment.index] = call end
  end
  call.id = call.id or id
  return call
end

--- A list that `add` fills from fragments.
---@return table
function M.gather()
  return { by_index = {} }
end

--- Takes one fragment in the shape of OpenAI: `{index, id, function = {name, arguments}}`.
---@param list table from `gather`
---@param fragment table
---@return string|nil text the piece of argument text that it brought
function M.add(list, fragment)
  local body = fragment["function"] or {}
  local name = body.name
  if name == "" then name = nil end
  local call = open_call(list, fragment, name)
  call.name = call.name or name
  call.extra = call.extra or fragment.extra_content
  local piece = body.arguments
  if type(piece) == "table" then piece = json.encode(piece) end
  if type(piece) ~= "string" or piece == "" then return nil end
  call.pieces[#call.pieces + 1] = piece
  return piece
end

--- The finished calls, nil where there are none.
---@param list table from `gather`
---@return table[]|nil
function M.finished(list)
  if #list == 0 then return nil end
  local calls = {}
  for i, call in ipairs(list) do
    calls[i] = M.from_text(i, call.id, call.name, table.concat(call.pieces))
  end
  return calls
end

return M
