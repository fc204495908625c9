--- Runs a command for a secret (`cmd "op read ..."`) without blocking the loop, where luv is there.
local errors = require "curia.errors"
local task = require "curia.task"

local M = {}

local LIMIT_MS, MAX_BYTES = 60000, 65536

-- ---- one command --------------------------------------------------------------------------------

local Process = {}

-- Nothing of a process outlives the task that waits for it.
function Process:__close()
  if self.pipe and not self.pipe:is_closing() then self.pipe:close() end
  if not self.handle or self.handle:is_closing() then return end
  if not self.code then self.handle:kill("sigkill") end
  self.handle:close()
end

local function read(process)
  local parts, size = {}, 0
  process.pipe:read_start(function(_, data)
    parts[#parts + 1] = data
    size = size + (data and #data or 0)
    if data and size <= MAX_BYTES then return end
    process.pipe:read_stop()
    process.text, process.endless = table.concat(parts), data ~= nil
    process.signal:notify()
  end)
end

local function spawn(uv, command, process)
  process.pipe = uv.new_pipe(false)
  local options = { args = { "-c", command }, stdio = { nil, process.pipe, nil } }
  local handle, message = uv.spawn("/bin/sh", options, function(code)
    process.code = code
    process.signal:notify()
  end)
  if not handle then return nil, tostring(message) end
  process.handle = handle
  read(process)
  return true
end

local function outcome(process)
  while process.code == nil or process.text == nil do
    if process.endless then return nil, ("it printed more than %d bytes"):format(MAX_BYTES) end
    if not process.signal:wait(LIMIT_MS) then return nil, ("no answer in %d s"):format(LIMIT_MS // 1000) end
  end
  if process.code ~= 0 then return nil, "exit " .. process.code end
  return process.text
end

local function execute(uv, command)
  local process <close> = setmetatable({ signal = task.signal() }, Process)
  local ok, message = spawn(uv, command, process)
  if not ok then return nil, message end
  return outcome(process)
end

local function execute_blocking(command)
  local pipe, message = io.popen(command, "r")
  if not pipe then return nil, tostring(message) end
  local output = pipe:read("a")
  local ok, _, code = pipe:close()
  if ok then return output end
  return nil, "exit " .. tostring(code)
end

-- ---- shared by all that ask for it at the same time ---------------------------------------------

local running = {} -- command -> { task =, waiting =, command = }

local Waiting = { __close = function(waiting)
  local shared = waiting.shared
  shared.waiting = shared.waiting - 1
  if shared.waiting > 0 then return end
  if running[shared.command] == shared then running[shared.command] = nil end
  shared.task:cancel("nobody waits for it any more")
end }

local function start(uv, command)
  local shared = { waiting = 0, command = command, task = task.spawn_root(execute, uv, command) }
  running[command] = shared
  return shared
end

--- Runs a shell command and gives what it prints. Those that ask for the same command at the same time
--- share one run of it.
---@async
---@param command string
---@return string? output
---@return string? message why not
function M.run(command)
  local found, uv = pcall(require, "luv")
  if not found then return execute_blocking(command) end
  local shared = running[command] or start(uv, command)
  shared.waiting = shared.waiting + 1
  local waiting <close> = setmetatable({ shared = shared }, Waiting)
  local ok, output, message = shared.task:await()
  if ok then return output, message end
  return nil, errors.is(output) and output.message or tostring(output)
end

return M
