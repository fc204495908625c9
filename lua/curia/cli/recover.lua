--- `curia recover`: takes up the runs of processes that have died, and sees them to their end.
local again = require "curia.recovery.again"
local durable = require "curia.durable"
local json = require "curia.json"
local recovery = require "curia.recovery"
local shared = require "curia.store.shared"
local signals = require "curia.cli.signals"
local task = require "curia.task"
local usage = require "curia.cli.usage"
local worker = require "curia.cli.worker"

local M = {}

local DRAIN_MS = 30000

local function say(text)
  io.stderr:write("curia recover: ", text, "\n")
end

local function text_of(counts)
  return ("%d resumed, %d begun anew, %d failed, %d skipped"):format(counts.resumed, counts.restarted, counts.failed,
    counts.skipped)
end

local function print_counts(counts, values)
  if values.json then return print(json.encode(counts)) end
  print(text_of(counts))
end

-- A signal lets go of what has been taken up.
local function await_runs(ending)
  while (next(durable.live) or next(again.live)) and not ending.now do task.sleep(20) end
end

local function once(values, opts, ending)
  local counts, err = recovery.sweep(opts)
  if not counts then return nil, err end
  print_counts(counts, values)
  await_runs(ending)
  return true
end

local function tell_of(values)
  return function(counts)
    if counts.resumed + counts.restarted + counts.failed == 0 then return end
    if values.json then print_counts(counts, values) else say(text_of(counts)) end
  end
end

local function for_ever(values, opts, ending)
  say "looking for runs of the dead, again and again"
  opts.enabled = true -- whatever the configuration says of other processes
  local sweeping = recovery.start(opts, tell_of(values))
  while not ending.now do ending.told:wait() end
  sweeping:stop()
  return true
end

local function perform(values, opts)
  local ending <close> = signals.the_end()
  local ok, err = (values.once and once or for_ever)(values, opts, ending)
  recovery.release(DRAIN_MS)
  shared.close()
  return ok, err
end

local function failed(message)
  say(message)
  return 1
end

-- As `curia.recovery.sweep` has them: false is all stacks, an empty name none.
local function options_of(values, councils)
  local stack = values.stack
  if stack == "*" then stack = false end
  return { councils = councils, source_stack = stack, source_env = values.env }
end

--- `curia recover [--once] [--councils DIR] [--stack NAME] [--env NAME] [--json]`
---@param values table options
---@param rest string[]
---@return integer exit code
function M.main(values, rest)
  if rest[1] then return usage.misused(("recover takes no argument, '%s' is one"):format(rest[1]), "recover") end
  local councils, message = worker.councils(values.councils)
  if not councils then return failed(message) end
  local ran, ok, err = task.run(perform, values, options_of(values, councils))
  if ran and ok then return 0 end
  return failed((err or ok).message)
end

return M
