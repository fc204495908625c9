--- `curia migrate`: the tables of the store.
local config = require "curia.config"
local folders = require "curia.folders"
local json = require "curia.json"
local migrate = require "curia.migrate"
local shared = require "curia.store.shared"
local suggest = require "curia.suggest"
local system = require "curia.core.system"
local task = require "curia.task"
local usage = require "curia.cli.usage"

local M = {}

local STDIN = 0
local FAILED = 1

local ACTIONS = { up = true, down = true, status = true }

local function complain(message)
  io.stderr:write("curia: ", message, "\n")
  return FAILED
end

local function tell(url, status, as_json)
  if as_json then return print((json.encode(status, { indent = 2 }))) end
  if status == true then return print(("all tables of Curia's were removed from %s"):format(url)) end
  print(("%s: step %d of %d"):format(url, status.current, status.latest))
  for _, about in ipairs(status.pending) do print("  missing: " .. about) end
end

-- What was stored is gone after that: somebody has to say so.
local function confirmed(url)
  if not system.isatty(STDIN) then return nil, "migrate down removes everything that is stored; --yes says so" end
  io.stderr:write(("Remove all runs and tables of Curia's from %s? [y/N] "):format(url))
  local answer = io.read "l"
  if answer and answer:lower():find "^y" then return true end
  return nil, "nothing was removed"
end

local function prepare(action, url, values)
  if action == "up" then
    local folder = not config.shared():get "store" and shared.folder(config.shared())
    if folder then folders.make(folder) end
    return true
  end
  local err = shared.absence(url)
  if err then return nil, err.message end
  if action == "down" and not values.yes then return confirmed(url) end
  return true
end

--- `curia migrate [up|down|status] [--yes] [--json]`
---@param values {yes?: boolean, json?: boolean}
---@param rest string[]
---@return integer exit code
function M.main(values, rest)
  local action = rest[1] or "status"
  local fault = not ACTIONS[action] and suggest.message("action", action, ACTIONS) or rest[2] and "one action at a time"
  if fault then return usage.misused(fault, "migrate") end
  local url, err = shared.url(config.shared())
  if not url then return complain(err.message) end
  local ready, message = prepare(action, url, values)
  if not ready then return complain(message) end
  local ok, done, problem = task.run(migrate.migrate, url, action, { prefix = config.shared():get "prefix" })
  if not ok then error(done, 0) end
  if not done then return complain(problem.message) end
  tell(url, done, values.json)
  return 0
end

return M
