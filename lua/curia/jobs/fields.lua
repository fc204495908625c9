--- What the functions of `curia.jobs` take, as rules of `curia.language.fields`.
local fields = require "curia.language.fields"

local M = {}

local STATES = { "available", "scheduled", "executing", "retryable", "completed", "discarded", "cancelled" }

local TEXT, MAP = { type = "string", nonempty = true }, { type = "map", values = { type = "any", plain = true } }

local store = { type = "string", nonempty = true }
local queue = { type = "string", identifier = true }
local namespace = fields.group.namespace

--- Options of `schedule`, but for name and cron; with more, of `enqueue`.
local job = {
  council = { type = "string", required = true, nonempty = true }, input = { type = "any", plain = true },
  queue = queue, priority = { type = "integer" }, max_attempts = { type = "integer", min = 1, max = 1000 },
  backoff = { type = "record", fields = {
    base_ms = { type = "duration" }, base = { type = "duration", alias = "base_ms" },
    max_ms = { type = "duration" }, max = { type = "duration", alias = "max_ms" },
  } },
  timeout_ms = { type = "duration" }, timeout = { type = "duration", alias = "timeout_ms" },
  options = MAP, metadata = MAP, group = { type = "string", identifier = true }, namespace = namespace,
  source_stack = { type = "any" }, source_env = { type = "any" }, store = store,
}

local function with(base, more)
  local made = {}
  for name, rule in pairs(base) do made[name] = rule end
  for name, rule in pairs(more) do made[name] = rule end
  return made
end

M.enqueue = with(job, {
  run_id = { type = "string", identifier = true }, schedule_at = { type = "integer", min = 0 },
  unique = { type = "record", fields = {
    key = { type = "string", required = true, nonempty = true }, period = { type = "duration" },
  } },
})

M.schedule = with(job, {
  name = { type = "string", required = true, identifier = true }, cron = { type = "string", required = true },
})

M.where = { store = store }

M.cancel = { store = store, reason = TEXT }

M.list = {
  store = store, queue = queue, state = { type = "string", enum = STATES }, council = TEXT, group = TEXT,
  namespace = namespace, limit = { type = "integer", min = 1 },
}

M.prune = {
  store = store, older_than_ms = { type = "duration" },
  older_than = { type = "duration", alias = "older_than_ms" },
}

M.work = {
  store = store, queue = queue, concurrency = { type = "integer", min = 1 }, run = { type = "function" },
  councils = { type = "map", values = { type = "council" } },
}

return M
