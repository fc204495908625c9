--- What spans and metrics are called: by OpenTelemetry's semantic conventions for GenAI as of schema 1.41.0, and
--- `curia.*` where these have no name. They are still in development: when they change, this file does.
local M = {}

M.schema_url = "https://opentelemetry.io/schemas/1.41.0"

--- The conventions' names of providers; others go by their own.
M.providers = {
  gemini = "gcp.gemini", mistral = "mistral_ai", openai_responses = "openai", xai = "x_ai",
}

local INTERNAL, CLIENT = 1, 3

local function merged(...)
  local all = {}
  for _, part in ipairs { ... } do
    for field, name in pairs(part) do all[field] = name end
  end
  return all
end

local OF_RUN = { run_id = "curia.run.id", namespace = "curia.namespace", council = "gen_ai.workflow.name" }

local OF_ROUND = { round = "curia.round.name", iteration = "curia.round.iteration" }

local OF_TURN = merged(OF_RUN, OF_ROUND, { round_idx = "curia.round.idx", member_id = "gen_ai.agent.name" })

local OF_MODEL = {
  model = "gen_ai.request.model", provider = "gen_ai.provider.name", finish_reasons = "gen_ai.response.finish_reasons",
}

local USAGE = {
  input_tokens = "gen_ai.usage.input_tokens", output_tokens = "gen_ai.usage.output_tokens",
  cached_tokens = "gen_ai.usage.cache_read.input_tokens", reasoning_tokens = "gen_ai.usage.reasoning.output_tokens",
}

local COST = { cost_usd = "curia.cost.usd" }

---@class curia.otlp.SpanNames
---@field kind integer the proto's SpanKind
---@field title string the first word of the span's name; the second is the value of the field `subject`
---@field subject string
---@field operation? string `gen_ai.operation.name`
---@field attributes table<string, string> what telemetry tells (see `curia.otlp.facts`) -> the attribute

--- By the first part of the telemetry events' names.
---@type table<string, curia.otlp.SpanNames>
M.spans = {
  run = {
    kind = INTERNAL, title = "invoke_workflow", subject = "council", operation = "invoke_workflow",
    attributes = merged(OF_RUN, USAGE, COST, { group = "curia.group", status = "curia.run.status" }),
  },
  round = {
    kind = INTERNAL, title = "round", subject = "round",
    attributes = merged(OF_RUN, OF_ROUND, {
      idx = "curia.round.idx", ok = "curia.round.ok", winner = "curia.decision.winner",
    }),
  },
  member = {
    kind = INTERNAL, title = "invoke_agent", subject = "member_id", operation = "invoke_agent",
    attributes = merged(OF_TURN, OF_MODEL, USAGE, COST, {
      status = "curia.member.status", attempts = "curia.member.attempts", confidence = "curia.member.confidence",
      first_token_s = "gen_ai.response.time_to_first_chunk",
    }),
  },
  ["provider.request"] = {
    kind = CLIENT, title = "chat", subject = "model", operation = "chat",
    attributes = merged(OF_TURN, OF_MODEL, USAGE, {
      attempt = "curia.member.attempt", status = "http.response.status_code",
      server = "server.address", port = "server.port",
      response_model = "gen_ai.response.model", response_id = "gen_ai.response.id",
    }),
  },
  ["tool.execute"] = {
    kind = INTERNAL, title = "execute_tool", subject = "tool", operation = "execute_tool",
    attributes = merged(OF_TURN, { tool = "gen_ai.tool.name", call_id = "gen_ai.tool.call.id" }),
  },
}

--- What spans of requests carry besides where content is exported.
M.content = { input = "gen_ai.input.messages", output = "gen_ai.output.messages" }

M.operation = "gen_ai.operation.name"
M.error_type = "error.type"
M.token_type = "gen_ai.token.type"

-- What requests are told apart by in metrics: nothing of which there are ever more.
local OF_SERIES = {
  model = "gen_ai.request.model", provider = "gen_ai.provider.name", response_model = "gen_ai.response.model",
  server = "server.address", port = "server.port",
}

---@class curia.otlp.MetricNames
---@field name string
---@field unit string
---@field about string
---@field bounds? number[] of a histogram's buckets; a metric without is a sum that only grows
---@field attributes table<string, string>

---@type table<string, curia.otlp.MetricNames>
M.metrics = {
  duration = {
    name = "gen_ai.client.operation.duration", unit = "s", about = "Duration of requests to providers.",
    bounds = { 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92 },
    attributes = OF_SERIES,
  },
  tokens = {
    name = "gen_ai.client.token.usage", unit = "{token}", about = "Tokens of requests to providers, by type.",
    bounds = { 1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864 },
    attributes = OF_SERIES,
  },
  runs = {
    name = "curia.runs", unit = "{run}", about = "Runs that have ended, by status.",
    attributes = { council = "gen_ai.workflow.name", status = "curia.run.status" },
  },
}

return M
