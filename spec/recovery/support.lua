--- A process that has died with a run: its own, which another process has really run, and killed.
local helper = require "spec.helper"

local M = {}

local SOURCE = [[
  curia.config { store = %q, log = "error", stack = %s, env = %s,
    providers = { scripted = { script = { content = "too late", delay_ms = 60000 } } } }
  local store = require "curia.store.shared".configured()
  for i = 1, %d do
    local _, err = curia.start(council("left-" .. i) { members = { { id = "a", provider = "scripted", model = "m" } },
      rounds = { "independent_analysis" } }, "Why?", { run_id = "left-" .. i, %s })
    if err then error(err) end
  end
  task.current():deadline(5000)
  repeat task.sleep(5) until store:query("SELECT count(*) AS n FROM {steps} WHERE kind = 'call' AND run_id LIKE 'left-%%%%'")[1].n == %d
  uv.kill(uv.os_getpid(), "sigkill")
]]

local function literal(value)
  return value and ("%q"):format(value) or "nil"
end

--- Leaves runs behind, `left-1` and so on, whose process was killed while they were under way.
---@param url string the store
---@param opts? {count?: integer, stack?: string, env?: string, options?: string}
function M.leave_behind(url, opts)
  opts = opts or {}
  local count = opts.count or 1
  local source = SOURCE:format(url, literal(opts.stack), literal(opts.env), count,
    opts.options or 'durability = "sync"', count)
  local said, code = helper.script("local task = require 'curia.task' local uv = require 'luv' " .. source)
  assert(code == -9 or code == 137, said) -- as the shell tells it
end

return M
