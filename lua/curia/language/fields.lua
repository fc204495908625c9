--- Every field of the council language: its type, its range, one line that explains it.
-- Lowering, validation and `curia help` read these tables; nothing else knows the fields.
--
-- A rule is `{type =, doc =, ...}`. `type` names what is accepted, alternatives with "|": string, number, integer,
-- boolean, function, table, list, map, record, duration, council, secret, any. The rest narrows it:
--   required            must be there                    min, max, above   bounds of a number
--   enum                the texts allowed                literal           the only value allowed of its type
--   items               rule of a list's elements        values            rule of a map's values
--   fields              rules of a record's fields       nonempty          a list or text must not be empty
--   alias               the field's name in the spec     ref               registry kind that a text refers to
--   capability          may stand in a profile           code              fault code of a name that is not registered
--   known               names that need no registration  also              a second registry kind
--   identifier          a text that can be part of a path    plain         has a data form
--   word                a text that every provider takes as a tool's name
--   judge               function(table) -> true | nil, faults: what a table must be in a language of its own
--   form                function(text) -> what is wrong with it, or nil
local lazy = require "curia.lazy"
local recorders = lazy "curia.recorder.choice"
local registries = lazy "curia.registry.choice"
local schemas = require "curia.schema"
local traceparent = lazy "curia.otlp.traceparent"

local M = {}

local function rule(kind, doc, more)
  local made = more or {}
  made.type, made.doc = kind, doc
  return made
end

-- `timeout = "30s"` is another way to write `timeout_ms = 30000`.
local function duration(fields, name, doc, more)
  local normal, alias = {}, { alias = name .. "_ms" }
  for key, value in pairs(more or {}) do normal[key], alias[key] = value, value end
  fields[name .. "_ms"] = rule("duration", doc, normal)
  fields[name] = rule("duration", "the same, with a unit", alias)
end

local FAILURE_MODES = { "continue", "fail_fast" }
local DURABILITIES = { "none", "async", "sync" }

--- The decision rules of SPEC 5; registered rules come on top.
M.rules = {
  "plurality", "majority", "unanimous", "approval", "weighted", "median", "majority_judgment", "mean",
  "borda", "copeland", "condorcet", "schulze", "instant_runoff", "peer_ranking", "knockout",
}

M.retry = {
  attempts = rule("integer", "tries in all, the first included", { min = 1, max = 100 }),
}
duration(M.retry, "base", "first wait, doubled with each try")
duration(M.retry, "max", "longest wait")

M.budget = {
  usd = rule("number", "most to spend, in US dollars", { min = 0 }),
  tokens = rule("integer", "most tokens, input and output", { min = 0 }),
  calls = rule("integer", "most calls to models", { min = 0 }),
}
duration(M.budget, "wall", "longest time")

M.limits = {
  concurrency = rule("integer", "calls at once", { min = 1 }),
  rpm = rule("integer", "calls a minute", { min = 1 }),
  tpm = rule("integer", "tokens a minute", { min = 1 }),
}

M.reasoning = {
  budget_tokens = rule("integer", "tokens to think with", { required = true, min = 0 }),
}

local retry = rule("record", "tries and waits after a passing failure", { fields = M.retry })
local budget = rule("record", "limits on money, tokens, calls and time", { fields = M.budget })
local failure_mode = rule("string", "what a member's failure does to its peers", { enum = FAILURE_MODES })
local quorum = rule("integer|string", "answers that suffice: a number, majority or all",
  { min = 1, enum = { "majority", "all" } })
local namespace = rule("string", "the tenant, whose runs and groups no other sees", { identifier = true })
local recorder = rule("boolean|string|table", 'what keeps the run: false, true, "sqlite", or three functions',
  { enum = { "sqlite", "postgres" }, judge = function(given) return recorders.check(given) end })
local durability = rule("string", "when finished work is committed", { enum = DURABILITIES })
local schema = rule("table|string", "JSON Schema of the answer, or a registered name",
  { ref = "schema", code = "unknown_schema", judge = schemas.check })

--- A tool that models may call. One with `list` in place of `run` is a set of tools (an MCP server's): it tells
--- them when they are needed.
M.tool = {
  name = rule("string", "the name that models call it by", { word = true }),
  about = rule("string", "what it does and when to call it, for the model"),
  parameters = rule("table|string", "JSON Schema of the arguments, or a registered name",
    { ref = "schema", code = "unknown_schema", judge = schemas.check }),
  run = rule("function|string", "function(args, ctx) -> result, or nil and why not", { ref = "function" }),
  list = rule("function", "function() -> tools, or nil and why not"),
  idempotent = rule("boolean", "may be run twice for one call"),
  approval = rule("boolean", "wait for curia.approve before each call"),
}
duration(M.tool, "timeout", "longest time of a call")

local tools = rule("list", "tools, by name or as tables",
  { items = rule("string|record", "a tool", { ref = "tool", code = "unknown_tool", fields = M.tool }) })
local confidence = rule("string|function|table|boolean", "how confidence is measured; false: not at all",
  { ref = "confidence", known = { "self_report", "logprob", "consistency", "semantic_entropy" } })
local router = rule("function|string", "chooses the members of a round",
  { ref = "router", code = "unknown_router" })
local metadata = rule("map", "free data that comes back with the result",
  { values = rule("any", "any value", { plain = true }) })

--- What a profile may say: how a member is asked, not who it is.
M.capabilities = {
  provider = rule("string", "provider by name", { nonempty = true }),
  model = rule("string", 'model, or "provider/model"', { nonempty = true }),
  temperature = rule("number", "randomness", { min = 0, max = 2 }),
  top_p = rule("number", "nucleus sampling", { min = 0, max = 1 }),
  max_tokens = rule("integer", "longest answer, in tokens", { min = 1 }),
  seed = rule("integer", "for providers that can repeat themselves"),
  stop = rule("string|list", "texts that end the answer",
    { nonempty = true, items = rule("string", "a text", { nonempty = true }) }),
  reasoning = rule("string|record", "effort: low, medium, high, or a number of tokens",
    { enum = { "low", "medium", "high" }, fields = M.reasoning }),
  stream = rule("boolean", "stream the answer"),
  restart_stream = rule("boolean", "allow a retry after the first streamed byte"),
  tools = tools,
  tool_choice = rule("string", "auto, required, none, or a tool's name", { nonempty = true }),
  parallel_tools = rule("boolean", "allow several tool calls in a turn"),
  tool_errors = rule("string", "what a failed tool does", { enum = { "collect", "fail_fast" } }),
  tool_concurrency = rule("integer", "tools at once", { min = 1 }),
  max_tool_rounds = rule("integer", "turns with tools", { min = 0 }),
  retry = retry,
  cache = rule("boolean|string", 'ask the provider to cache the prompt: true, "5m" or "1h"',
    { enum = { "5m", "1h" } }),
  extra = rule("map", "merged into the request's body as it is", { values = rule("any", "any value") }),
}
duration(M.capabilities, "tool_timeout", "longest time of a tool")
duration(M.capabilities, "timeout", "longest silence of an attempt")
duration(M.capabilities, "first_byte_timeout", "longest wait for the first byte of an attempt")
duration(M.capabilities, "total_timeout", "longest attempt")
duration(M.capabilities, "deadline", "longest turn of the member, retries and tools included")

local function extended(base, more)
  local fields = {}
  for name, field in pairs(base) do fields[name] = field end
  for name, field in pairs(more) do fields[name] = field end
  return fields
end

M.capabilities.fallback = rule("list", "models to try next",
  { items = rule("string|record", "a model, alone or with its capabilities",
    { nonempty = true, fields = extended(M.capabilities, {}) }) })

for _, field in pairs(M.capabilities) do field.capability = true end

--- A profile: capabilities, or the first of several profiles whose provider has a key.
M.profile = extended(M.capabilities, {
  about = rule("string", "one line about the profile"),
  first_of = rule("list", "profiles: the first whose provider has a key is taken",
    { nonempty = true, items = rule("string", "a profile") }),
})

--- A function where a text would be a text: `{["function"] = "registered name"}`.
M.named_function = {
  ["function"] = rule("string", "a registered function", { required = true, ref = "function" }),
}

local function text_or_function(doc)
  return rule("string|function|record", doc, { fields = M.named_function })
end

--- A member of a council.
M.member = extended(M.capabilities, {
  id = rule("string", "the member's name", { required = true, identifier = true }),
  role = text_or_function "what the member is, in a few words",
  system = text_or_function 'system prompt, function(input, ctx), or {["function"] = "registered name"}',
  prompt = text_or_function "template of the question, or function(input, ctx)",
  profile = rule("string", "profile by name", { nonempty = true }),
  schema = schema,
  repair = rule("integer", "times that a faulty answer is sent back", { min = 0, max = 10 }),
  validate = rule("function|string", "function(answer) -> true, or nil and why not", { ref = "function" }),
  transform = rule("function|string", "function(input, ctx) -> input", { ref = "function" }),
  confidence = confidence,
  weight = rule("number", "weight in decisions", { min = 0 }),
  metadata = metadata,
  council = rule("council|string", "a council that answers for this member",
    { ref = "council", also = "sub_council", code = "unknown_council" }),
  input_mapper = rule("function|string", "function(input, ctx): the sub-council's input",
    { ref = "input_mapper" }),
  run = rule("function|string", "function(ctx, input): a member in plain Lua", { ref = "function" }),
})

--- The chair: a member that writes the final answer.
M.chair = extended(M.member, {
  elect = rule("boolean", "let the best-ranked member be the chair"),
})

--- Options that every round takes; a round's module may add its own in `options`.
M.round = {
  type = rule("string|table", "the round's type, or a round of your own", { required = true }),
  name = rule("string", "the round's name in results (its type)", { identifier = true }),
  members = rule("list", "ids of the members that take part",
    { nonempty = true, items = rule("string", "a member's id") }),
  router = router,
  failure_mode = failure_mode,
  quorum = quorum,
  rule = rule("string|function", "decision rule", { ref = "rule", known = M.rules }),
  tie_break = rule("string|function", "what breaks a tie: first (by id), random, chair, or function(ids) -> id",
    { ref = "function", known = { "first", "random", "chair" } }),
  schema = schema,
  retry = retry,
  stagger = rule("boolean", "let the first call fill the provider's prompt cache"),
}
duration(M.round, "timeout", "wall time of the round")
duration(M.round, "grace", "wait for stragglers once the quorum is reached")

--- A council.
M.council = {
  about = rule("string", "one or two sentences about the council"),
  profile = rule("string", "default profile of the members", { nonempty = true }),
  members = rule("list", "members, also by position"),
  rounds = rule("list", "rounds, also by position"),
  chair = rule("record", "the member that writes the final answer", { fields = M.chair }),
  without_chair = rule("string", "what answers when the chair fails", { enum = { "best" } }),
  router = router,
  tools = tools,
  input = rule("function|string", "function(input) -> input, before anything else", { ref = "input_mapper" }),
  confidence = confidence,
  failure_mode = failure_mode,
  quorum = quorum,
  retry = retry,
  budget = budget,
  on_budget = rule("string", "at the limit, go straight to the chair", { enum = { "conclude" } }),
  durability = durability,
  recovery = rule("string|record", "what happens to a run whose process died", {
    enum = { "resume", "restart", "fail" },
    fields = {
      policy = rule("string", "resume, restart or fail", { enum = { "resume", "restart", "fail" } }),
      max_attempts = rule("integer", "claims before the run is given up", { min = 1 }),
    },
  }),
  metadata = metadata,
  run = rule("function|string", "function(ctx, input): free Lua instead of rounds", { ref = "function" }),
}
duration(M.council, "grace", "wait for stragglers once the quorum is reached")
duration(M.council, "member_timeout", "deadline of the members' turns")

--- Options of `start` and `run`.
M.run_options = {
  run_id = rule("string", "the run's id (a new UUIDv7)", { identifier = true }),
  namespace = namespace,
  group = rule("string|group", "the group that the run belongs to, or its name", { identifier = true }),
  owned = rule("boolean", "the run dies with the task that starts it"),
  subscribe = rule("function|boolean|capture", "called with every event, or true to buffer for run:events()"),
  relay_topics = rule("list", "further topics for the events",
    { items = rule("string", "a topic", { identifier = true }) }),
  recorder = recorder,
  verbose = rule("boolean|string", 'print a timeline; "debug" adds prompts', { enum = { "debug" } }),
  verbose_to = rule("any", "where the timeline goes: a function or a file"),
  await_timeout = rule("duration", "how long `run` waits before it cancels"),
  retry = retry,
  failure_mode = failure_mode,
  quorum = quorum,
  budget = budget,
  on_budget = rule("string", "at the limit, go straight to the chair", { enum = { "conclude" } }),
  durability = durability,
  recovery = M.council.recovery,
  seed = rule("integer", "seed of the run's random numbers"),
  metadata = metadata,
  idempotent = rule("boolean", "a second start with the same id and input is the first run"),
  store = rule("any", "where a durable run is kept: an address, or an open store (the configured one)"),
  job_id = rule("string", "the job whose run it is", { nonempty = true }),
  parent_attempt_run_id = rule("string", "the run that this one tries again", { nonempty = true }),
  stack = rule("any", "source stack"),
  env = rule("any", "source environment"),
  council_version = rule("string", "content hash of the council to run"),
  traceparent = rule("string", "the W3C trace context of whoever asks; the run's trace goes on from there",
    { form = function(text) return traceparent.fault(text) end }),
  offline = rule("boolean", "invented answers from the scripted provider, marked as such"),
  models = rule("map", 'other models for members: {id = "provider/model"}',
    { values = rule("string", '"provider/model"', { nonempty = true }) }),
}
duration(M.run_options, "member_timeout", "deadline of the members' turns")
duration(M.run_options, "deadline", "longest time of the whole run")

--- Options of `curia.group`. The time that a run may take is its own affair.
M.group = {
  max_runs = rule("integer", "runs that go on at once; others wait as pending", { min = 1 }),
  budget = rule("record", "what all runs together may use",
    { fields = { usd = M.budget.usd, tokens = M.budget.tokens, calls = M.budget.calls } }),
  namespace = namespace,
}

--- A provider's configuration.
M.provider = {
  about = rule("string", "one line about the provider"),
  adapter = rule("string|table", "the protocol: an adapter's name, or an adapter", { nonempty = true }),
  base_url = rule("string", "where the protocol starts", { nonempty = true }),
  base_url_env = rule("string", "variable that replaces base_url", { nonempty = true }),
  api_key = rule("secret|string|function", 'env "NAME", cmd "...", file "..." or a function'),
  model = rule("string", "model of members that name none", { nonempty = true }),
  headers = rule("map", "further headers", { values = rule("string|secret", "a header's value") }),
  limits = rule("record", "limits that are known beforehand", { fields = M.limits }),
  logprobs = rule("boolean", "whether it takes requests for log probabilities (true)"),
  idempotency_key = rule("boolean", "whether durable runs send Idempotency-Key (false)"),
  script = rule("any", "what the scripted provider answers"),
  extra = rule("map", "merged into every body", { values = rule("any", "any value") }),
}

local price = rule("number", "US dollars per million tokens", { min = 0 })
local needed_price = rule("number", "US dollars per million tokens", { min = 0, required = true })

--- The price of a model (cost.lua); tokens of reasoning are output.
M.price = { input = needed_price, output = needed_price, cached = price, cache_write = price }
M.price.long = rule("record", "prices once the input is longer", {
  fields = extended(M.price, { over = rule("integer", "tokens of input", { required = true, min = 0 }) }),
})

--- Options of `curia.otlp.start`.
M.otlp = {
  endpoint = rule("string", "where to: an address without /v1/traces", { nonempty = true }),
  headers = rule("map", "further headers", { values = rule("string|secret", "a header's value") }),
  service_name = rule("string", "what the traces are told to come from", { nonempty = true }),
  resource = rule("map", "what else is told of the source", { values = rule("string|number|boolean", "a value") }),
  retry = retry,
  content = rule("boolean", "prompts and answers are exported too, without secrets"),
}
duration(M.otlp, "interval", "time between exports, at least 100 ms")

--- What users' data goes through on its way to a store and back.
M.at_rest = {
  redact = rule("function", "function(value, what) -> value: what recorders are given, as it shall be kept"),
  seal = rule("function", "function(bytes) -> bytes: encrypts"),
  unseal = rule("function", "function(bytes) -> bytes: decrypts"),
}

--- How the runs of dead processes are looked for (`curia.recovery.start`).
M.sweep = {
  enabled = rule("boolean", "whether this process takes up the runs of those that have died (true)"),
}
duration(M.sweep, "every", "time between two looks, at least 10 ms (1000)")

--- Keys of the configuration.
M.config = {
  default_profile = rule("string", "profile of members that choose none", { nonempty = true }),
  default_retry = retry,
  default_failure_mode = failure_mode,
  default_council = rule("string|council", "what curia.ask runs", { nonempty = true }),
  namespace = namespace,
  store = rule("string", "where runs are kept: sqlite:PATH", { nonempty = true }),
  data_dir = rule("string", "the store's folder where no `store` is named ($XDG_DATA_HOME/curia)", { nonempty = true }),
  prefix = rule("string", "in front of the names of the store's tables (curia_)", { word = true }),
  mode = rule("string", "single_node, or multi_node: several nodes share one store",
    { enum = { "single_node", "multi_node" } }),
  recorder = recorder,
  jobs = rule("string|record", 'where jobs and their runs are kept: "sqlite", or {backend =, store =, prefix =}', {
    enum = { "sqlite", "postgres" }, fields = {
      backend = rule("string", "sqlite or postgres", { enum = { "sqlite", "postgres" } }),
      store = rule("string", "another store than the configured one: sqlite:PATH", { nonempty = true }),
      prefix = rule("string", "in front of the names of its tables", { word = true }),
    },
  }),
  at_rest = rule("record", "what encrypts and redacts that which is stored", { fields = M.at_rest }),
  node_id = rule("string", "this process's name in the store (the host's name)", { nonempty = true }),
  stack = rule("string", "which of several deployments on one store this is"),
  env = rule("string", "which environment this is: its runs are taken up by no other"),
  sweep = rule("record", "how the runs of processes that have died are taken up", { fields = M.sweep }),
  retention = rule("duration", "how long runs, jobs and workflows are kept in the store once they have ended"),
  linger_ms = rule("duration", "how long a finished run stays in memory"),
  loop_stall_ms = rule("duration", "a turn that holds the loop for longer is a stall (telemetry loop.stall)"),
  providers = rule("map", "providers by name", { values = rule("record", "a provider", { fields = M.provider }) }),
  profiles = rule("map", "profiles by name", { values = rule("record", "a profile", { fields = M.profile }) }),
  prices = rule("map", "prices by model", { values = rule("record", "a price", { fields = M.price }) }),
  models = rule("map", "facts about models by name", { values = rule("table", "facts") }),
  reliability = rule("boolean|string|table", "where reliability is recorded: false, memory, sqlite, or a store"),
  registry = rule("string|table", "where registrations are kept: memory, sqlite, or a registry of your own",
    { enum = { "memory", "sqlite", "postgres", "redis" }, judge = function(given) return registries.check(given) end }),
  otlp = rule("boolean|record", "export of traces and metrics: true, or options of curia.otlp.start",
    { fields = M.otlp }),
  log = rule("string|function", "level, or function(level, text)", { enum = { "error", "warn", "info", "debug" } }),
}
duration(M.config, "default_member_timeout", "deadline of the members' turns")
duration(M.config, "registry_ttl", "how old what is looked up in a shared registry may be (1s)")

return M
