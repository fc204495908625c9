--- Groups of runs (SPEC 9): held, limited, watched and ended together. A group never restarts a run.
local budgets = require "curia.engine.budget"
local clock = require "curia.core.clock"
local config = require "curia.config"
local equal = require "curia.equal"
local errors = require "curia.errors"
local rosters = require "curia.engine.roster"
local task = require "curia.task"

local M = {}

---@class curia.RunGroup
---@field name string
---@field namespace curia.Namespace
---@field max_runs? integer runs that may go on at once
---@field budget? curia.Budget what its runs may use together
---@field known curia.Roster runs that live or linger
---@field alive curia.Roster runs that have not ended
---@field unwinding table<curia.Task, true> tasks of runs that have ended, until they are collected
---@field waiting curia.Roster slots that are not taken yet
---@field taken integer slots that are
---@field closing boolean
---@field idle userdata signal: the last run has ended
local Group = { __name = "curia.run_group" }
Group.__index = Group

---@param value any
---@return boolean
function M.is(value)
  return getmetatable(value) == Group
end

-- What a group was told must not be forgotten with the last run that has hold of it.
local kept = {} -- luacheck: ignore 241 (to hold is all it does)

local function new_group(namespace, name, home)
  return setmetatable({
    name = name, namespace = namespace, home = home, known = rosters.new(), alive = rosters.new(),
    unwinding = setmetatable({}, { __mode = "k" }), waiting = rosters.new(), taken = 0, closing = false,
    idle = task.signal(),
  }, Group)
end

--- The group of that name; made when there is none.
---@param namespace curia.Namespace
---@param name string
---@param home {start: function, run: function} what starts runs
---@return curia.RunGroup
function M.of(namespace, name, home)
  local group = namespace.groups[name] or new_group(namespace, name, home)
  namespace.groups[name] = group
  return group
end

local function said(group)
  return { max_runs = group.max_runs, budget = group.budget and group.budget.limits }
end

--- Tells a group its options. What it was told before stays.
---@param opts {max_runs?: integer, budget?: table}
---@return curia.RunGroup?
---@return curia.Error? err kind `validation`: it was told something else
function Group:configure(opts)
  local before = said(self)
  for _, name in ipairs { "max_runs", "budget" } do
    if opts[name] ~= nil and before[name] ~= nil and not equal(opts[name], before[name]) then
      return nil, errors.new("validation", ("group %s is there already, with another %s"):format(self.name, name),
        { code = "conflict" })
    end
  end
  self.max_runs = self.max_runs or opts.max_runs
  if opts.budget and not self.budget then
    self.budget = budgets.shared(opts.budget, config.shared():get "prices", "the group")
  end
  if self.max_runs or self.budget then kept[self] = true end
  return self
end

-- ---- slots: over `max_runs`, a run waits its turn -----------------------------------------------

---@class curia.Slot a to-be-closed value
---@field group curia.RunGroup
---@field taken boolean
---@field signal? userdata
local Slot = {}
Slot.__index = Slot

local function admit(group)
  local most = group.max_runs or math.huge
  while group.waiting.count > 0 and group.taken < most do
    local slot = group.waiting.oldest
    group.waiting:remove(slot)
    slot.taken, group.taken = true, group.taken + 1
    if slot.signal then slot.signal:notify() end
  end
end

--- A slot for one run, which is not taken yet: `local slot <close> = group:slot()`.
---@return curia.Slot
function Group:slot()
  return setmetatable({ group = self, taken = false }, Slot)
end

--- Takes the slot, after those that came before.
---@async
function Slot:take()
  self.group.waiting:add(self)
  admit(self.group)
  if self.taken then return end
  self.signal = task.signal()
  self.signal:wait()
end

function Slot:__close()
  local group = self.group
  if self.taken then group.taken = group.taken - 1 else group.waiting:remove(self) end
  admit(group)
end

-- ---- what happens to its runs ----------------------------------------------------------------------

--- Why the group takes no run of a council.
---@param plan curia.Plan
---@param prices? table<string, curia.Price>
---@return curia.Error?
function Group:refusal(plan, prices)
  if self.closing then
    return errors.new("validation", ("group %s is closed"):format(self.name), { code = "closed" })
  end
  return self.budget and budgets.fault({ budget = self.budget.limits }, plan, prices)
end

---@param run curia.Run
function Group:add(run)
  self.known:add(run)
  self.alive:add(run)
end

--- A run has ended; its task may have to unwind.
---@param run curia.Run
function Group:ended(run)
  self.alive:remove(run)
  self.unwinding[run.task] = true
  if self.alive.count == 0 then self.idle:notify() end
end

-- ---- what holders of a group may do ----------------------------------------------------------------

local function with_group(group, opts)
  if opts ~= nil and type(opts) ~= "table" then return opts end
  local own = {}
  for name, value in pairs(opts or {}) do own[name] = value end
  if own.group ~= nil and own.group ~= group and own.group ~= group.name then
    error(("options: the run is started in group %s, and cannot be in another"):format(group.name), 3)
  end
  own.group = group
  return own
end

--- Starts a run in the group; see `curia.start`.
---@param council curia.Council|string
---@param input any
---@param opts? table
---@return curia.Run?
---@return curia.Error? err also kind `validation`, code `closed`
function Group:start(council, input, opts)
  local own = with_group(self, opts)
  return self.home.start(council, input, own)
end

--- Starts a run in the group and waits for its result; see `curia.run`.
---@async
---@param council curia.Council|string
---@param input any
---@param opts? table
---@return table? result
---@return curia.Error?
function Group:run(council, input, opts)
  local own = with_group(self, opts)
  return self.home.run(council, input, own)
end

--- The runs that live or linger, newest first.
---@return curia.Run[]
function Group:runs()
  local found = {}
  for run in self.known:each() do found[#found + 1] = run end
  return found
end

--- Cancels all runs that have not ended, also those that wait for their turn.
---@param reason? string
---@return true
function Group:cancel_all(reason)
  for _, run in ipairs(self.alive:items()) do run:cancel(reason) end
  return true
end

local function terminate_each(group)
  for _, run in ipairs(group.alive:items()) do run:terminate() end
end

local function tasks_of(group)
  local tasks = {}
  for unwinding in pairs(group.unwinding) do tasks[#tasks + 1] = unwinding end
  return tasks
end

--- Terminates all runs. Returns when they are gone, with all that they had under way.
---@async
---@return true
function Group:terminate_all()
  terminate_each(self)
  for _, unwinding in ipairs(tasks_of(self)) do
    unwinding:await()
    self.unwinding[unwinding] = nil
  end
  return true
end

--- Waits until no run goes on, or waits for its turn.
---@async
---@param timeout_ms? number
---@return true?
---@return curia.Error? err kind `timeout`; the runs go on
function Group:await(timeout_ms)
  local until_ms = timeout_ms and clock.ms() + timeout_ms
  while self.alive.count > 0 do
    local left_ms = until_ms and math.max(0, until_ms - clock.ms())
    if not self.idle:wait(left_ms) then
      return nil, errors.new("timeout", ("%d runs of group %s have not ended in %g ms"):format(
        self.alive.count, self.name, timeout_ms))
    end
  end
  return true
end

-- Its name is free for another group.
local function let_go(group)
  kept[group] = nil
  local groups = group.namespace.groups
  if groups[group.name] == group then groups[group.name] = nil end
end

--- Refuses new runs, waits for those there are, terminates the rest.
---@async
---@param drain_ms? number how long it waits; without it until all have ended
---@return true
function Group:close(drain_ms)
  self.closing = true
  self:await(drain_ms)
  self:terminate_all()
  let_go(self)
  return true
end

--- A scope that is left waits for the runs; one that is left by an error, or cancelled, terminates them.
function Group:__close(err)
  if err == nil then return self:close() end
  self.closing = true
  terminate_each(self)
  let_go(self)
end

function Group:__tostring()
  return ("group %s (%d runs)"):format(self.name, self.alive.count)
end

return M
