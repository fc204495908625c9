--- `curia repl`: lines in, values out, while runs go on.
local commands = require "curia.repl.commands"
local completion = require "curia.repl.completion"
local histories = require "curia.repl.history"
local interrupt = require "curia.core.interrupt"
local line = require "curia.core.line"
local plain = require "curia.cli.plain"
local sessions = require "curia.repl.session"
local system = require "curia.core.system"
local task = require "curia.task"
local terminal = require "curia.view.terminal"
local uv = require "luv"
local watchdog = require "curia.core.watchdog"

local M = {}

local PROMPT, MORE = "> ", ">> "
local STDIN, STDOUT = 0, 1
local GRACE_MS = 1000

-- ---- lines from a pipe ------------------------------------------------------------------------------

-- No prompt, no colours: what is printed is the values. The first failure counts for the exit code.
local function run_pipe(session)
  local text, first = nil, true
  for typed in io.lines() do
    typed, first = plain.line(typed, first), false
    text = text and text .. "\n" .. typed or typed
    if not session:take(text) then text = nil end
    if session.over then break end
  end
  if text then session:fail "the last statement is not finished" end
  return session.failed and 1 or 0
end

-- ---- a terminal -------------------------------------------------------------------------------------

local function list_files(prefix)
  local folder, found = prefix:match "^(.*/)" or "", {}
  local scan = uv.fs_scandir(folder == "" and "." or folder)
  while scan do
    local name, kind = uv.fs_scandir_next(scan)
    if not name then break end
    local path = folder .. name
    if path:sub(1, #prefix) == prefix and (kind == "directory" or name:find "%.lua$") then
      found[#found + 1] = path .. (kind == "directory" and "/" or "")
    end
  end
  table.sort(found)
  return found
end

local function completer(session)
  local more = {
    commands = commands.names(), files = list_files, councils = function() return session:council_names() end,
  }
  return function(typed, start) return completion.candidates(typed, start, session.env, more) end
end

-- A text of several lines is typed in several lines: nil at the end of the input.
local function read_line(prompt, complete)
  line.prompt(prompt)
  while line.wait() do
    local typed = line.read(complete)
    if typed ~= nil then return typed or nil end
  end
end

-- Ctrl-C stops what runs, else it takes back what is typed.
local function on_interrupt(state)
  if state.running then
    state.running:cancel "interrupted"
  else
    state.text = nil
    io.write "^C\n"
    line.discard()
  end
end

local function listen(state)
  while true do
    interrupt.next()
    on_interrupt(state)
  end
end

-- In a task of its own, which Ctrl-C can cancel.
local function take(state, text)
  local unfinished = false
  local running = task.spawn(function()
    interrupt.foreground(true)
    unfinished = state.session:take(text)
  end)
  state.running = running
  local ok, err = running:await()
  interrupt.foreground(false)
  state.running = nil
  if not ok then state.session:say(err.kind == "cancelled" and "interrupted" or tostring(err.message)) end
  return unfinished
end

local function remember(state, text)
  if state.history:add((text:gsub("\n%s*", " "))) then line.remember((text:gsub("\n%s*", " "))) end
end

local function loop(state)
  local complete = completer(state.session)
  while not state.session.over do
    local typed = read_line(state.text and MORE or PROMPT, complete)
    if not typed then
      io.write "\n"
      return
    end
    local text = state.text and state.text .. "\n" .. typed or typed
    state.text = nil
    if take(state, text) then state.text = text else remember(state, text) end
  end
end

local function live_runs()
  local curia, live = require "curia", {}
  for _, state in ipairs(curia.list()) do
    if state.status == "running" or state.status == "pending" or state.status == "blocked" then
      live[#live + 1] = curia.find(state.run_id)
    end
  end
  return live
end

local function cancel_runs()
  local live = live_runs()
  if #live == 0 then return end
  print(("cancelling %d run%s"):format(#live, #live == 1 and "" or "s"))
  for _, run in ipairs(live) do run:cancel "the session ends" end
  for _, run in ipairs(live) do run:await(GRACE_MS) end
end

local Terminal = { __close = function()
  interrupt.release()
  line.close()
end }

local function run_terminal(state)
  local _ <close> = setmetatable({}, Terminal)
  watchdog.stop() -- a line may compute for as long as its user waits; Ctrl-C stops it
  interrupt.catch()
  local history, lines = histories.open()
  state.history = history
  for _, old in ipairs(lines) do line.remember(old) end
  local listener = task.spawn_background(listen, state)
  print(("Curia %s, Lua 5.4. :help tells more, Ctrl-D ends.%s"):format(system.version,
    state.session.opts.offline and " Offline: invented answers." or ""))
  loop(state)
  listener:cancel()
  cancel_runs()
  return 0
end

-- What is shown while a line is being typed stands above it.
local function say(text)
  line.hide()
  io.stdout:write(text, "\n")
  io.stdout:flush()
  line.show()
end

local function say_plainly(text)
  io.stdout:write(text, "\n")
end

--- Runs a session.
---@param options {offline?: boolean}
---@param rest string[] a file to load first
---@return integer exit code
function M.main(options, rest)
  local opened = system.isatty(STDIN) and system.isatty(STDOUT) and line.open()
  local session = sessions.new {
    say = opened and say or say_plainly, offline = options.offline,
    columns = function() return terminal.columns(STDOUT) or 80 end,
  }
  local ok, code = task.run(function()
    if rest[1] then
      local loaded, err = session:load(rest[1])
      if not loaded then
        say_plainly("curia: " .. tostring(err))
        if not opened then return 1 end
      end
    end
    return opened and run_terminal { session = session } or run_pipe(session)
  end)
  if ok then return code end
  io.stderr:write("curia: ", tostring(code), "\n")
  return 1
end

return M
