--- The function of a tool or a step of a durable run, which runs outside of the run: what it asks for by way of `ctx`
--- is handed in, and done inside (inner.lua). A function that is run again finds what is on record answered.
--
-- Answers are handed out one at a time, in the order in which they came, and the next only when the function has
-- nothing left to do but wait: so one that waits for nothing else does the same again.
local inner = require "curia.durable.inner"
local inputs = require "curia.durable.inputs"
local task = require "curia.task"
local values = require "curia.store.values"

local M = {}

---@class curia.durable.Host
---@field call curia.Call
---@field scope userdata its tasks'
---@field counts table<string, integer> how often each method was called, by place
---@field waiting table<string, table> who waits for an answer, by path
---@field changed userdata signal: there may be an answer to hand out
---@field over boolean the function has ended
local Host = {}
Host.__index = Host

local hosts = {} -- by the key of the scope
local branches = setmetatable({}, { __mode = "k" }) -- by task: where below its tool or step it stands

--- The tool or the step whose function the running task belongs to.
---@param journal curia.Journal of the run whose tool or step it must be
---@return curia.durable.Host?
function M.here(journal)
  local host = hosts[task.current_scope()]
  if host and host.call.journal == journal then return host end
end

-- ---- paths ----------------------------------------------------------------------------------------

-- The order of asking is the same again only within a task: what runs beside it counts for itself.
local function next_path(self, op)
  local place = (branches[task.current()] or self.call.path) .. "/" .. op
  self.counts[place] = (self.counts[place] or 0) + 1
  return ("%s:%d"):format(place, self.counts[place])
end

--- Functions for `ctx:all` and `ctx:first`, each of which has a place of its own.
---@param op string
---@param functions (fun(): any)[]
---@return (fun(): any)[]
function Host:branches(op, functions)
  local path, made = next_path(self, op), {}
  for i, fn in ipairs(functions) do
    made[i] = function()
      branches[task.current()] = ("%s/%d"):format(path, i)
      return fn()
    end
  end
  return made
end

-- ---- asking ---------------------------------------------------------------------------------------

local Waiting = {}

local function is_left(call, path)
  local request = call.inner.by_path[path]
  return request and request.left
end

-- Whoever waited has been cut short, and not with the function as a whole. Where that is on record, it keeps its place.
function Waiting:__close()
  local host, path = self.host, self.path
  host.waiting[path] = nil
  local call = host.call
  if self.given or call.done or call.abandoned or host.carrier:cancelled() or is_left(call, path) then return end
  call.journal:post {
    kind = "left", path = path .. "/left", placed = true, outcome = { of = call.path, path = path },
  }
end

local function wait_for_answer(self, path)
  local waiting <close> = setmetatable({ host = self, path = path, signal = task.signal(), given = nil }, Waiting)
  self.waiting[path] = waiting
  self:look()
  while not waiting.given do waiting.signal:wait() end
  return waiting.given
end

local function refuse(self, err)
  local journal = self.call.journal
  journal.refused = journal.refused or err
  journal.arrived:notify()
end

-- As the conductor does with what the run itself asks for.
local function hold_against(self, request, args, encoded, hash)
  local conductor = self.call.journal.run.conductor
  local err = conductor:compare(request.recorded, {
    path = request.path, input = encoded, hash = hash, effect = { input = args },
  })
  if err then refuse(self, err) end
end

local function ask(self, path, op, args)
  local encoded, hash = inputs.encode(args)
  local request = self.call.inner.by_path[path]
  if request then return hold_against(self, request, args, encoded, hash) end
  self.call.journal:post {
    kind = "inner", path = path, placed = true,
    outcome = { of = self.call.path, op = op, args = values.content(encoded) },
  }
end

local function give_function(inner_of, path, fn)
  inner_of.functions[path] = fn
  inner_of.came:notify()
end

--- Has a method of `ctx` called inside of the run, and waits for what it gives.
---@async
---@param op string
---@param ... any its arguments
---@return any ...
function Host:request(op, ...)
  local path, args = next_path(self, op), inner.recordable(op, ...)
  if op == "step" then give_function(self.call.inner, path, select(2, ...)) end
  ask(self, path, op, args)
  local made = wait_for_answer(self, path)
  if not made[1] then error(made[2], 0) end
  return table.unpack(made, 2, made.n)
end

-- ---- handing out ----------------------------------------------------------------------------------

--- There may be an answer to hand out.
function Host:look()
  self.changed:notify()
end

--- Whether the function waits for what it has asked for.
---@return boolean
function Host:is_waiting()
  return next(self.waiting) ~= nil
end

local function next_answer(self)
  local first
  for path in pairs(self.waiting) do
    local request = self.call.inner.by_path[path]
    local is_ready = request and request.answered and not request.left
    if is_ready and not (first and first.number < request.number) then first = request end
  end
  return first
end

local function hand_out(self)
  while not self.over do
    self.scope:quiet()
    local request = next_answer(self)
    if request then
      local waiting = self.waiting[request.path]
      self.waiting[request.path], waiting.given = nil, request.made
      waiting.signal:notify()
    elseif not self.over then
      self.changed:wait()
    end
  end
end

local Ended = {
  __close = function(ended)
    ended.host.over = true
    ended.host:look()
  end,
}

local function body(self)
  local _ <close> = setmetatable({ host = self }, Ended)
  return self.call.effect.perform(self.call)
end

function Host:__close()
  hosts[self.scope:key()], self.call.host = nil, nil
end

local function new(call)
  local host = setmetatable({
    call = call, carrier = task.current(), scope = task.scope(), counts = {}, waiting = {},
    changed = task.signal(), over = false,
  }, Host)
  hosts[host.scope:key()], call.host = host, host
  return host
end

--- Performs the effect of a tool or a step.
---@async
---@param call curia.Call
---@return table outcome
function M.perform(call)
  local host <close> = new(call)
  local running = host.scope:add(task.spawn(body, host))
  hand_out(host)
  local ok, outcome = running:await()
  if not ok then error(outcome, 0) end
  return outcome
end

return M
