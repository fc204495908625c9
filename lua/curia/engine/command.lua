--- Runs a command for a secret (`cmd "op read ..."`) without blocking the loop, where luv is there.
local task = require "curia.task"

local M = {}

local LIMIT_MS, MAX_BYTES = 60000, 65536

local function collect(uv, pipe, done)
  local parts, size = {}, 0
  pipe:read_start(function(_, data)
    size = size + (data and #data or 0)
    if data and size <= MAX_BYTES then
      parts[#parts + 1] = data
    else
      pipe:close()
      done(table.concat(parts))
    end
  end)
end

local function spawn(uv, command, state)
  local pipe = uv.new_pipe(false)
  local options = { args = { "-c", command }, stdio = { nil, pipe, nil } }
  local handle, message = uv.spawn("/bin/sh", options, function(code)
    state.code = code
    state.handle:close()
    state.signal:notify()
  end)
  if not handle then
    pipe:close()
    return nil, tostring(message)
  end
  state.handle = handle
  collect(uv, pipe, function(text)
    state.text = text
    state.signal:notify()
  end)
  return true
end

local function wait(state)
  while state.code == nil or state.text == nil do
    if not state.signal:wait(LIMIT_MS) then
      state.handle:kill("sigkill")
      return nil, ("no answer in %d s"):format(LIMIT_MS // 1000)
    end
  end
  if state.code ~= 0 then return nil, "exit " .. state.code end
  return state.text
end

--- Runs a shell command and gives what it prints.
---@async
---@param command string
---@return string? output
---@return string? message why not
function M.run(command)
  local found, uv = pcall(require, "luv")
  if not found then
    local pipe = io.popen(command, "r")
    local output = pipe and pipe:read("a")
    local ok, _, code = false, nil, "?"
    if pipe then ok, _, code = pipe:close() end
    if ok then return output end
    return nil, "exit " .. tostring(code)
  end
  local state = { signal = task.signal() }
  local ok, message = spawn(uv, command, state)
  if not ok then return nil, message end
  return wait(state)
end

return M
