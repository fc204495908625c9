--- A result without what may differ when a process dies: times, and how often a call was tried.
local json = require "curia.json"

local PASSING = {
  started_at = true, duration_ms = true, first_token_ms = true, attempts = true, usage = true, cost = true,
  sub_run_id = true, run_id = true, raw = true, provider_id = true,
}

local function settled(value)
  if type(value) ~= "table" then return value end
  local made = json.is_array(value) and json.array() or {}
  for name, item in pairs(value) do
    if not PASSING[name] then made[name] = settled(item) end
  end
  return made
end

---@param result table?
---@return string
return function(result)
  return json.encode(settled(result or {})) or "no result"
end
