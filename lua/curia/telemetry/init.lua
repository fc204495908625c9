--- Telemetry: what happens, with figures, for whoever wants to count it (SPEC 14).
--
--     local handle = curia.telemetry.attach("member.stop", function(name, measurements, metadata)
--       print(metadata.member_id, measurements.duration_us, metadata.cost)
--     end)
--     handle:detach()
--
-- Handlers are called where it happens, in the middle of a run: they must not wait (that raises), and one that
-- raises is detached and reported. Where nobody listens nothing is made. Who needs all events of a run in order
-- subscribes to it instead.
local core = require "curia.core.task"
local lazy = require "curia.lazy"
local logger = lazy "curia.log"
local names = lazy "curia.telemetry.names"
local stalls = lazy "curia.telemetry.stalls"
local suggest = lazy "curia.suggest"

local M = {
  --- name -> true while somebody listens. Read it before an event is made.
  ---@type table<string, true?>
  on = {},
  --- Whether anybody listens to anything.
  any = false,
}

local lists = {} -- name -> the handles that listen, in the order of attaching
local by_id = {}

---@class curia.telemetry.Handle
---@field names string[]
---@field fn fun(name: string, measurements: table, metadata: table)
local Handle = { __name = "curia.telemetry.handle" }
Handle.__index = Handle

-- A list is replaced, never changed: an event may be on its way through it.
local function without(list, handle)
  local rest = {}
  for _, other in ipairs(list) do
    if other ~= handle then rest[#rest + 1] = other end
  end
  return rest[1] and rest or nil
end

local function put(name, list)
  lists[name], M.on[name] = list, list and true or nil
  M.any = next(M.on) ~= nil
  if name == "loop.stall" then stalls.switch(M.on[name] == true, M.emit) end
end

--- Ends the listening; idempotent.
function Handle:detach()
  for _, name in ipairs(self.names) do put(name, without(lists[name] or {}, self)) end
  if self.id and by_id[self.id] == self then by_id[self.id] = nil end
  self.names = {}
end

Handle.__close = Handle.detach

-- The names that are meant, each once, in a list that is nobody else's.
local function check_names(given)
  local list = type(given) == "string" and { given } or given
  if type(list) ~= "table" or #list == 0 then
    error("bad argument #1 to 'attach' (a name, or a list of names, expected)", 3)
  end
  local all, wanted = names.all, {}
  for _, name in ipairs(list) do
    if name ~= "*" and not all[name] then error(suggest.message("telemetry event", tostring(name), all), 3) end
    wanted[name] = true
  end
  local meant = {}
  for name in pairs(wanted["*"] and all or wanted) do meant[#meant + 1] = name end
  return meant
end

local function check_options(opts)
  if type(opts) ~= "table" then error("bad argument #3 to 'attach' (table expected)", 3) end
  for name in pairs(opts) do
    if name ~= "id" then error("attach: " .. suggest.message("option", name, { id = true }), 3) end
  end
end

--- Listens to events.
---@param given string|string[] their names, see `curia.telemetry.names`; "*": all
---@param fn fun(name: string, measurements: table, metadata: table) must not wait, nor change what it is given
---@param opts? {id?: string} whoever had this id is detached
---@return curia.telemetry.Handle with `detach()`
function M.attach(given, fn, opts)
  local list = check_names(given)
  if type(fn) ~= "function" then error("bad argument #2 to 'attach' (function expected)", 2) end
  opts = opts or {}
  check_options(opts)
  local id = opts.id
  if id and by_id[id] then by_id[id]:detach() end
  local handle = setmetatable({ names = list, fn = fn, id = id }, Handle)
  if id then by_id[id] = handle end
  for _, name in ipairs(list) do
    local longer = table.move(lists[name] or {}, 1, #(lists[name] or {}), 1, {})
    longer[#longer + 1] = handle
    put(name, longer)
  end
  return handle
end

local function drop(handle, name, err)
  handle:detach()
  logger.write("error", ("a handler of %s failed and was detached: %s"):format(name, tostring(err)))
end

--- Tells an event to those who listen. Whoever calls it has looked into `on` before.
---@param name string
---@param measurements table<string, number>
---@param metadata table
function M.emit(name, measurements, metadata)
  for _, handle in ipairs(lists[name] or {}) do
    local ok, err = core.call_now(handle.fn, name, measurements, metadata)
    if not ok then drop(handle, name, err) end
  end
end

--- The ready-made logger: a line for each event.
---@param opts? {level?: "error"|"warn"|"info"|"debug", events?: string[], to?: fun(line: string)|file*} `to`: instead
--- of Curia's log
---@return curia.telemetry.Handle
function M.log(opts)
  return require "curia.telemetry.logger".attach(M, opts or {})
end

return M
