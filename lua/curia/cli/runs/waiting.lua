--- The calls of a stored run that wait for somebody's decision.
local json = require "curia.json"

local M = {}

local LONGEST = 200

local STEPS = "SELECT path FROM {steps} WHERE namespace = ? AND run_id = ? AND kind IN ('approval', 'decision')"

-- A decision that was made in the run's own process has its number behind the call's id.
local function decided_id(path)
  local id = path:match "^decision/(.*)$"
  return id and id:match "^(.*)/%d+$" or id
end

local function pending_ids(store, row)
  local found, err = store:query(STEPS, row.namespace, row.run_id)
  if not found then return nil, err end
  local ids = {}
  for _, step in ipairs(found) do ids[step.path:match "^approval/(.*)$" or ""] = true end
  for _, step in ipairs(found) do ids[decided_id(step.path) or ""] = nil end
  return ids
end

local function text_of(call)
  local arguments = json.encode(call.arguments or {}) or "?"
  if #arguments > LONGEST then arguments = arguments:sub(1, LONGEST) .. "..." end
  return ("%s %s"):format(call.name, arguments)
end

--- What waits, in its order.
---@async
---@param store curia.Store
---@param row curia.store.RunRow
---@param events curia.Event[] the run's
---@return {id: string, text: string}[]?
---@return curia.Error?
function M.of(store, row, events)
  if row.status ~= "blocked" then return {} end
  local ids, err = pending_ids(store, row)
  if not ids then return nil, err end
  local calls = {}
  for _, event in ipairs(events) do
    local call = event.type == "run_blocked" and event.call
    if call and ids[call.id] then
      calls[#calls + 1] = { id = call.id, text = text_of(call) }
      ids[call.id] = nil
    end
  end
  return calls
end

return M
