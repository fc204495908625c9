--- The workers of this process, as those who enqueue here know them: they are told at once that there is something to
--- do, and may take a job before it is stored. Those of other processes look by themselves.
local M = {}

---@class curia.jobs.Listener
---@field notify fun(otherwise: boolean) there is something to do
---@field reserve fun(row: table): (fun(job?: curia.Job))? takes a job whose row is to be stored, see `reserve`

local listeners = {} -- by the store's address and prefix: a set

local function key_of(store)
  return store.url .. "\0" .. store.prefix
end

--- Adds a listener.
---@param store curia.Store
---@param listener curia.jobs.Listener
---@return fun() stop
function M.listen(store, listener)
  local key = key_of(store)
  listeners[key] = listeners[key] or {}
  listeners[key][listener] = true
  return function()
    listeners[key][listener] = nil
    if not next(listeners[key]) then listeners[key] = nil end
  end
end

--- There is something to do.
---@param store curia.Store
---@param otherwise? boolean no job to begin with: one for later, or one to end
function M.notify(store, otherwise)
  for listener in pairs(listeners[key_of(store)] or {}) do listener.notify(otherwise == true) end
end

--- Finds a worker with a slot for a job that is about to be stored: its row becomes a claimed one.
---@param store curia.Store
---@param row table
---@return (fun(job?: curia.Job))? hand_over to be called once: with the job when it is stored, with nil when it is not
function M.reserve(store, row)
  for listener in pairs(listeners[key_of(store)] or {}) do
    local hand_over = listener.reserve(row)
    if hand_over then return hand_over end
  end
end

return M
