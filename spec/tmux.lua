--- A real terminal for specs: tmux draws it and tells what stands there.
local clock = require "curia.core.clock"
local program = require "spec.cli.program"
local task = require "curia.task"
local uv = require "luv"

local M = {}

--- Whether there is a tmux here.
M.found = os.execute "command -v tmux >/dev/null 2>&1" == true

local opened, server = 0, nil -- a server each: one that ends takes its time

--- A command of tmux; gives its output.
function M.command(...)
  local code, out, err = program.command("tmux", { "-L", server, "-f", "/dev/null", ... })
  if code ~= 0 then error(err, 2) end
  return out
end

--- What stands on the screen.
function M.screen(...)
  return M.command("capture-pane", "-p", ...)
end

--- The same with what has scrolled away.
function M.everything(...)
  return M.screen("-S", "-", ...)
end

local function nap(ms)
  require("spec.helper").run(function() task.sleep(ms) end)
end

local LIMIT_US = 60e6

--- Waits until a condition holds for all that is there, and gives it; nil when it never does.
function M.wait_until(condition, ...)
  local limit = clock.us() + LIMIT_US
  repeat
    local shown = M.everything(...)
    if condition(shown) then return shown end
    nap(25)
  until clock.us() > limit
end

--- Waits until a text is there; gives all that is.
function M.wait_for(text, ...)
  local shown = M.wait_until(function(shown) return shown:find(text, 1, true) end, ...)
  return shown or error(("'%s' does not come; there is\n%s"):format(text, M.everything(...)), 2)
end

--- Types a text, letter by letter as it is.
function M.type(text)
  M.command("send-keys", "-l", text)
end

--- Presses keys by tmux's names: "Enter", "C-c", "Tab".
function M.press(...)
  M.command("send-keys", ...)
end

--- Opens a terminal in which a shell command runs; after it stands "the end".
function M.open(columns, rows, command, env)
  opened = opened + 1
  server = ("curia-spec-%d-%d"):format(uv.os_getpid(), opened)
  M.command("new-session", "-d", "-x", tostring(columns), "-y", tostring(rows),
    ("env LC_ALL=C.UTF-8 %s %s; echo the end; exec sleep 60"):format(env or "", command))
end

--- Closes it.
function M.close()
  M.command "kill-server"
end

return M
