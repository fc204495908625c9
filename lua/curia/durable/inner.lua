--- What a tool or a step of a durable run asks for by way of `ctx`, as the run sees it (SPEC 16).
--
-- Its function runs outside of the run (host.lua). What it asks for is handed in as all else that comes from outside,
-- and recorded with its arguments: so a run that is resumed does it again without the function. It is done by a task
-- of the one that waits for the tool or the step, and ends with that.
local clock = require "curia.core.clock"
local councils = require "curia.council"
local errors = require "curia.errors"
local inputs = require "curia.durable.inputs"
local json = require "curia.json"
local lazy = require "curia.lazy"
local language = lazy "curia.language"
local task = require "curia.task"
local user_code = require "curia.engine.user_code"
local values = require "curia.store.values"

local M = {}

---@class curia.durable.Inner what a tool or a step has asked for
---@field requests curia.durable.InnerRequest[] in their order
---@field by_path table<string, curia.durable.InnerRequest>
---@field begun integer how many of them have been
---@field answers integer how many there have been
---@field functions table<string, function> those of the steps among them, by path
---@field came userdata signal: there is one more function

---@class curia.durable.InnerRequest
---@field call curia.Call of the tool or the step
---@field path string below that of the call
---@field op string the method of `ctx`
---@field args any[] as they were recorded
---@field recorded curia.durable.Entry what is asked for when the function is run again is held against it
---@field task? curia.Task what does it
---@field number? integer in the order in which the call's requests were answered
---@field made? table what it has come to, packed: whether it is well, then values or the error
---@field answered boolean that is on record, and may be handed out
---@field left boolean nobody waits for it any more: neither does the function when it is run again, in the end
---@field over_ms? number the run's time when it was answered, or nobody waited for it any more

--- What a tool or a step that begins has asked for: nothing.
---@return curia.durable.Inner
function M.new()
  return { requests = {}, by_path = {}, begun = 0, answers = 0, functions = {}, came = task.signal() }
end

-- ---- handing in -----------------------------------------------------------------------------------

-- Other arguments that were accepted stand beside the recorded ones, which have led to all that followed.
local function recorded_of(entry)
  if entry.hash then return { path = entry.path, hash = entry.hash, input = entry.input, accepted = entry.accepted } end
  local encoded, hash = inputs.encode(entry.outcome.args)
  return {
    path = entry.path, hash = hash, input = function() return values.content(encoded) end, accepted = entry.accepted,
  }
end

--- A tool or a step asks for something.
---@param journal curia.Journal
---@param entry curia.durable.Entry its outcome: `of`, the path of the tool or the step, `op` and `args`
function M.hand_in(journal, entry)
  local path, outcome = entry.path, entry.outcome
  local call = journal.open[outcome.of]
  if not call then return end
  local inner, request = call.inner, {
    call = call, path = path, op = outcome.op, args = outcome.args, recorded = recorded_of(entry), task = nil,
    number = nil, made = nil, answered = false, left = false, over_ms = nil,
  }
  journal.paths[path] = 1
  inner.requests[#inner.requests + 1], inner.by_path[path] = request, request
  call.signal:notify()
end

--- It does not wait any more for what it had asked for.
---@param journal curia.Journal
---@param outcome {of: string, path: string}
function M.leave(journal, outcome)
  local call = journal.open[outcome.of]
  local request = call and call.inner.by_path[outcome.path]
  if not request then return end
  request.left, request.over_ms = true, journal.scope:ms()
  request.task:cancel("nobody waits for it any more")
end

-- ---- doing ----------------------------------------------------------------------------------------

-- The function of a step inside: in a run that is resumed, the outer one has to come to it again.
local function function_of(request)
  local inner, path = request.call.inner, request.path
  return function(ctx)
    while not inner.functions[path] do inner.came:wait() end
    return inner.functions[path](ctx)
  end
end

local read = {} -- by method: arguments that are not recorded as they are

function read.step(request, name)
  return name, function_of(request)
end

function read.run(_, council, input, opts)
  if type(council) == "table" then council = assert(language.council_from(council.data)) end
  return council, input, opts
end

local function arguments_of(request)
  local args = {}
  for i, value in ipairs(request.args) do
    if value ~= json.null then args[i] = value end
  end
  local count = #request.args
  if read[request.op] then return read[request.op](request, table.unpack(args, 1, count)) end
  return table.unpack(args, 1, count)
end

-- Whoever asked gets his own: what the run has is not changed from outside.
local function copy(value)
  if type(value) ~= "table" then return value end
  local made = {}
  for key, item in pairs(value) do made[key] = copy(item) end
  return setmetatable(made, getmetatable(value))
end

local function perform(request)
  local ctx = setmetatable({ _below = request.path, _inner = false }, { __index = request.call.effect.ctx })
  return ctx[request.op](ctx, arguments_of(request))
end

local function carry_out(request)
  local made = table.pack(xpcall(perform, user_code.as_error, request))
  if task.current():cancelled() then return end
  if not made[1] then errors.wrap(made[2]) end
  local call = request.call
  call.inner.answers = call.inner.answers + 1
  request.number, request.made, request.over_ms = call.inner.answers, copy(made), clock.ms()
  table.insert(call.journal.answered, request)
end

--- Begins what was asked for meanwhile, as tasks of the running one: the one that waits for the tool or the step.
---@param call curia.Call
function M.serve(call)
  local inner = call.inner
  for i = inner.begun + 1, #inner.requests do
    inner.begun, inner.requests[i].task = i, task.spawn(carry_out, inner.requests[i])
  end
end

--- Whoever asked has ended, or nobody waits for him any more.
---@param call curia.Call
function M.stop(call)
  for _, request in ipairs(call.inner.requests) do
    if request.task then request.task:cancel("what asked for it has ended") end
  end
end

--- The run's time since which the function has been under way by itself: what it has asked for need not be done again.
---@param call curia.Call of a tool or a step
---@return number at_ms not before `call.at_ms`
function M.busy_since(call)
  local since = call.at_ms
  for _, request in ipairs(call.inner.requests) do
    since = math.max(since, request.over_ms or call.journal.scope:ms())
  end
  return since
end

--- What the answers follow from is stored: they may be handed out.
---@param journal curia.Journal
function M.deliver(journal)
  local answered = journal.answered
  journal.answered = {}
  for _, request in ipairs(answered) do
    request.answered = true
    if request.call.host then request.call.host:look() end
  end
end

-- ---- recording ------------------------------------------------------------------------------------

local write = {} -- by method: what stands on record in place of its arguments

local function refuse(op, why)
  error(errors.new("unsupported", ("%s: inside of a tool or a step of a durable run %s"):format(op, why)), 0)
end

function write.ask(member, input, opts)
  if type(opts) == "table" and opts.parse then refuse("ask", "what comes back is parsed by whoever asks") end
  return type(member) == "table" and member.id or member, input, opts
end

function write.step(name, fn)
  if type(fn) ~= "function" then error("bad argument #2 to 'step' (function expected)", 0) end
  return name
end

function write.run(council, input, opts)
  if type(council) == "string" then return council, input, opts end
  if not councils.is(council) then
    error("bad argument #1 to 'run' (a council, or the name of a registered one, expected)", 0)
  end
  local data = council:to_json()
  if not data then refuse("run", "a council with functions is registered, and called by its name") end
  return { data = data }, input, opts
end

local function list(...)
  local args = json.array()
  for i = 1, select("#", ...) do
    local value = select(i, ...)
    if value == nil then value = json.null end
    args[i] = value
  end
  return args
end

--- Arguments as they are recorded; what is no JSON value raises.
---@param op string
---@param ... any
---@return any[]
function M.recordable(op, ...)
  local args = write[op] and list(write[op](...)) or list(...)
  local text, err = json.encode(args)
  if not text then refuse(op, "arguments are recorded, and must be JSON values: " .. err.message) end
  return args
end

return M
