--- Helpers of the specs. busted loads this file before every spec (.busted); a spec that wants its
-- functions says `local helper = require "spec.helper"`.
--
-- After each test it looks for what the test has left behind: tasks that have not ended, timers,
-- open handles of luv. The test fails with their number; the handles are closed.
--
-- CURIA_GC_STRESS=1 makes the collector take a step at each allocation, without a pause between
-- cycles, and does a whole cycle after each test. A number above 1 is how much work a step does, in
-- percent of what was allocated: 120 takes some six times as long as no stress, 200 some sixty.
local clock = require "curia.core.clock"
local task = require "curia.core.task"

local M = {}

-- For what comes soon: much longer than it takes on a slow machine, as only a test that fails waits so long.
local TIMEOUT_MS = 60000
local SETTLE_MS = 10000

-- What specs start keeps nothing in the store of whoever runs them.
local uv = require "luv"
uv.os_setenv("CURIA_RECORDER", "false")
uv.os_setenv("XDG_DATA_HOME", os.getenv "CURIA_SPEC_DATA" or uv.os_tmpdir() .. "/curia-spec-" .. uv.os_getpid())

--- The program that runs the specs, for specs that start it once more.
M.program = uv.exepath()

-- ---- running a function as a task ----------------------------------------------------------

local function text_of(err)
  if type(err) ~= "table" then return tostring(err) end
  return tostring(err) .. "\n" .. (err.traceback or "")
end

--- Runs `fn` as a task and waits for it. What it raises fails the test, with the task's traceback;
-- so does a task that has not ended in `timeout_ms`.
---@param fn fun(...): any
---@param timeout_ms? number 60000
---@return any what fn returns (at most two values)
function M.run(fn, timeout_ms, ...)
  local running = task.spawn(fn, ...)
  local ok, first, second = running:await(timeout_ms or TIMEOUT_MS)
  if ok then return first, second end
  if ok == nil then running:cancel("the test took too long") end
  error(text_of(first), 0)
end

--- The error of a task that must fail.
---@return any err
function M.fails(fn, timeout_ms)
  local ok, err = task.spawn(fn):await(timeout_ms or TIMEOUT_MS)
  if ok then error("the task has not failed", 2) end
  return err
end

--- Like run, on a virtual clock: it stands still while anything happens and otherwise jumps to the
-- next timer, so that time-outs take no time.
function M.virtual(fn, timeout_ms)
  assert(clock.virtual(true))
  local ok, first, second = pcall(M.run, fn, timeout_ms or 1e12)
  clock.virtual(false)
  if not ok then error(first, 0) end
  return first, second
end

--- Runs Lua source with `curia lua` in a process of its own.
---@param source string
---@param environment? string like "A=1 B=2"
---@return string output both streams
---@return integer exit code, or the number of the signal that ended it, negative
function M.script(source, environment)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(source)
  file:close()
  local pipe = assert(io.popen(("%s '%s' lua %s 2>&1"):format(environment or "", M.program, path)))
  local output = pipe:read "a"
  local _, how, code = pipe:close()
  os.remove(path)
  return output, how == "signal" and -code or code
end

--- Waits, in a task, until `condition()` is true; an error when it does not become so.
---@async
---@param condition fun(): any
function M.wait_for(condition)
  local limit = clock.ms() + TIMEOUT_MS
  while not condition() do
    if clock.ms() > limit then error("what the test waits for has not come", 2) end
    task.sleep(1)
  end
end

--- Outside of tasks: lets the loop turn until `condition()` is true, for at most `limit_ms`.
---@return boolean whether it became true
function M.settle(condition, limit_ms)
  local turn, limit = require "curia.core.system".turn, clock.us() + (limit_ms or SETTLE_MS) * 1000
  while not condition() do
    if clock.us() > limit then return false end
    turn(false)
  end
  return true
end

-- ---- what a test leaves behind --------------------------------------------------------------

local handles = setmetatable({}, { __mode = "k" })

-- Remembers each handle that `constructor` returns.
local function watched(constructor)
  return function(...)
    local results = table.pack(constructor(...))
    for i = 1, results.n do
      local value = results[i]
      if type(value) == "userdata" and value.is_closing then handles[value] = true end
    end
    return table.unpack(results, 1, results.n)
  end
end

local function watch_handles()
  for name, fn in pairs(uv) do
    if name:match "^new_[a-z_]+$" or name == "spawn" then uv[name] = watched(fn) end
  end
end

local function open_handles()
  local open = {}
  for handle in pairs(handles) do
    local ok, closing = pcall(handle.is_closing, handle)
    if ok and not closing then open[#open + 1] = handle end
  end
  return open
end

local function close_handles()
  for _, handle in ipairs(open_handles()) do handle:close() end
end

local left = {
  tasks = function(before) return task.count() - before.tasks end,
  timers = function(before) return clock.timers() - before.timers end,
  handles = function(before) return #open_handles() - before.handles end,
}

local function take_stock()
  return { tasks = task.count(), timers = clock.timers(), handles = #open_handles() }
end

local function nothing_left(before)
  for _, count in pairs(left) do
    if count(before) > 0 then return false end
  end
  return true
end

local function complaint(before)
  local lines = {}
  for what, count in pairs(left) do
    if count(before) > 0 then lines[#lines + 1] = count(before) .. " " .. what end
  end
  table.sort(lines)
  return "the test has left behind: " .. table.concat(lines, ", ")
end

-- ---- busted's hooks -------------------------------------------------------------------------

local function stress()
  local level = tonumber(os.getenv "CURIA_GC_STRESS")
  if not level or level <= 0 then return end
  collectgarbage("incremental", 100, level > 1 and level or 120, 0)
end

local function install(busted)
  local before
  local stressed = os.getenv "CURIA_GC_STRESS"
  busted.subscribe({ "test", "start" }, function()
    before = take_stock()
    return nil, true
  end)
  busted.subscribe({ "test", "end" }, function(element, parent)
    if stressed then collectgarbage() end
    if M.settle(function() return nothing_left(before) end) then return nil, true end
    local message = complaint(before)
    close_handles()
    busted.publish({ "failure", element.descriptor }, element, parent, message, { message = message })
    return nil, true
  end)
end

stress()
watch_handles()
install(require "busted")

return M
