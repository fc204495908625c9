--- Every field of a workflow and of its steps, by the rules of `curia.language.fields`.
local errors = require "curia.errors"
local fields = require "curia.language.fields"

local M = {}

local KINDS = {}
for kind in pairs(errors.kinds) do KINDS[#KINDS + 1] = kind end
table.sort(KINDS)

local function duration(record, name, doc)
  record[name .. "_ms"] = { type = "duration", doc = doc }
  record[name] = { type = "duration", doc = "the same, with a unit", alias = name .. "_ms" }
end

--- What a step's runs are started with: those options of `curia.start` that say how, not where or as what.
M.run_options = {}
for _, name in ipairs {
  "budget", "on_budget", "failure_mode", "quorum", "retry", "models", "seed", "metadata", "offline", "recovery",
  "deadline", "deadline_ms", "member_timeout", "member_timeout_ms",
} do M.run_options[name] = fields.run_options[name] end

M.step = {
  name = { type = "string", doc = "the step's name", required = true, word = true },
  about = { type = "string", doc = "one line about the step" },
  council = { type = "council|string", doc = "the council that does it", nonempty = true },
  run = { type = "function", doc = "function(ctx, input) -> result, or nil and why not" },
  approval = { type = "boolean", doc = "wait until somebody approves" },
  input = { type = "any", doc = 'function(trigger, prior), or data with "trigger.x" and "prior.step.x" in it' },
  after = { type = "list|string", doc = "the steps that must be done before",
    items = { type = "string", doc = "a step's name" } },
  on_failure = { type = "string", doc = "what a failure does", enum = { "abort", "retry", "pause" } },
  max_attempts = { type = "integer", doc = "tries in all (3)", min = 1 },
  never_retry = { type = "list", doc = "kinds of errors that are final",
    items = { type = "string", doc = "a kind of error", enum = KINDS } },
  options = { type = "record", doc = "options of the step's runs", fields = M.run_options },
}
duration(M.step, "backoff", "wait before the next try (5000)")
duration(M.step, "reuse", "how long an equal step's result is taken again")
duration(M.step, "timeout", "longest time of a function")

M.workflow = {
  about = { type = "string", doc = "one or two sentences about the workflow" },
  subject = { type = "function|string", doc = 'function(trigger) or "trigger.x": one at a time for each subject' },
  steps = { type = "list", doc = "steps, also by position" },
}

return M
