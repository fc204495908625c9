--- A process that has died with runs: another one has really run them, and was killed.
local helper = require "spec.helper"

local M = {}

local SOURCE = [[
  local task = require 'curia.task'
  local uv = require 'luv'
  curia.config { store = %q, log = "error", stack = %s, env = %s,
    providers = { scripted = { script = %s } } }
  local store = require "curia.store.shared".configured()
  local function scripted(id) return { id = id, provider = "scripted", model = "m" } end
  for i = 1, %d do
    local _, err = curia.start(council("left-" .. i)(%s), "Why?", { run_id = "left-" .. i, %s })
    if err then error(err) end
  end
  task.current():deadline(60000)
  repeat task.sleep(5) until store:query("%s")[1].n == %d
  uv.kill(uv.os_getpid(), "sigkill")
]]

local COUNCIL = '{ members = { scripted "a" }, rounds = { "independent_analysis" } }'
local SCRIPT = '{ content = "too late", delay_ms = 60000 }'
local CALLS = "SELECT count(*) AS n FROM {steps} WHERE kind = 'call' AND run_id LIKE 'left-%'"

local function literal(value)
  return value and ("%q"):format(value) or "nil"
end

--- Leaves runs behind, `left-1` and so on, whose process was killed while they were under way: as soon as a statement
--- counts as many of something as there are runs.
---@param url string the store
---@param opts? {count?: integer, stack?: string, env?: string, options?: string, council?: string, script?: string,
--- under_way?: string} texts of Lua: options of the runs, the council's body, what its members answer; and of SQL
function M.leave_behind(url, opts)
  opts = opts or {}
  local count = opts.count or 1
  local said, code = helper.script(SOURCE:format(url, literal(opts.stack), literal(opts.env), opts.script or SCRIPT, count,
    opts.council or COUNCIL, opts.options or 'durability = "sync"', opts.under_way or CALLS, count))
  assert(code == -9 or code == 137, said) -- as the shell tells it
end

return M
