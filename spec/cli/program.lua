--- Runs this very program as a child, for the specs of the command line.
local helper = require "spec.helper"
local task = require "curia.task"
local uv = require "luv"

local M = {}

local HIDDEN = {
  "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY", "OPENROUTER_API_KEY", "OLLAMA_HOST",
  "LC_ALL", "LC_CTYPE", "LANG", "NO_COLOR", "TERM", "CURIA_GC_STRESS",
}

local function environment(changes)
  local env, list = uv.os_environ(), {}
  for _, name in ipairs(HIDDEN) do env[name] = nil end
  env.OLLAMA_HOST = "127.0.0.1:9" -- nobody answers there, whatever runs on this machine
  for name, value in pairs(changes or {}) do env[name] = value or nil end
  for name, value in pairs(env) do list[#list + 1] = name .. "=" .. value end
  return list
end

local function collect(pipe, pieces, done)
  pipe:read_start(function(_, data)
    if data then
      pieces[#pieces + 1] = data
      return
    end
    pipe:close()
    done()
  end)
end

local function feed(pipe, text)
  if text then pipe:write(text) end
  pipe:shutdown(function() pipe:close() end)
end

local function start(command, args, opts)
  local child = { out = {}, err = {}, open = 3, signal = task.signal() }
  local pipes = { uv.new_pipe(), uv.new_pipe(), uv.new_pipe() }
  local function one_less()
    child.open = child.open - 1
    child.signal:notify()
  end
  local options = { args = args, stdio = pipes, env = environment(opts.env), cwd = opts.cwd }
  child.handle, child.pid = uv.spawn(command, options, function(code)
    child.code = code
    child.handle:close()
    one_less()
  end)
  assert(child.handle, child.pid)
  collect(pipes[2], child.out, one_less)
  collect(pipes[3], child.err, one_less)
  feed(pipes[1], opts.stdin)
  return child
end

local function wait(child)
  while child.open > 0 do child.signal:wait() end
  return child.code, table.concat(child.out), table.concat(child.err)
end

--- Runs the program.
---@param args string[]
---@param opts? {stdin?: string, env?: table<string, string|false>, cwd?: string, meanwhile?: fun(child: table)}
---@return integer code
---@return string out standard output
---@return string err standard error
function M.run(args, opts)
  return M.command(uv.exepath(), args, opts)
end

--- Runs any command.
function M.command(command, args, opts)
  opts = opts or {}
  local result
  helper.run(function()
    local child = start(command, args, opts)
    if opts.meanwhile then opts.meanwhile(child) end
    result = table.pack(wait(child))
  end)
  return table.unpack(result, 1, 3)
end

--- Waits until what the child has written to standard error holds a text.
---@async
function M.wait_for(child, text)
  while not table.concat(child.err):find(text, 1, true) do task.sleep(5) end
end

--- Writes a file that the spec may name, and returns its path.
---@param text string
---@param ending? string
---@return string
function M.file(text, ending)
  local path = os.tmpname()
  os.remove(path)
  path = path .. (ending or ".lua")
  local handle = assert(io.open(path, "wb"))
  handle:write(text)
  handle:close()
  return path
end

return M
