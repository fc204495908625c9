-- What is public, by subject. Functions of `require "curia"` that no subject names come last: none is left out.
return {
  -- The subjects of `require "curia"`: the title, the chapter of language.md, the functions.
  { title = "Councils", chapter = "councils", functions = {
    "council", "member", "round", "chair", "load", "council_from", "validate", "is_council" } },
  { title = "Secrets", chapter = "profiles-and-providers", functions = { "env", "cmd", "file" } },
  { title = "Tools", chapter = "tools", functions = { "tool", "bm25", "http_get", "mcp", "approve" } },
  { title = "Councils that are found", chapter = "councils-in-councils", functions = { "auto", "escalate" } },
  { title = "Running", chapter = "councils", functions = { "run", "start", "estimate" } },
  { title = "Runs by id", functions = {
    "find", "list", "await", "result", "state", "cancel", "terminate", "events", "subscribe", "on_end" } },
  { title = "Decisions", chapter = "decision-rules", functions = { "decide", "agreement", "bias" } },
  { title = "Diagrams", chapter = "diagrams", functions = { "sequence_diagram" } },
  { title = "The registry and the configuration", chapter = "registering", functions = {
    "register", "unregister", "lookup", "config" } },

  -- What is handed out: the name that it has here, where its methods are, which of them are the engine's own affair.
  objects = {
    { name = "run", class = "curia.Run", file = "lua/curia/engine/run.lua", owner = "Run",
      about = "What `curia.start` gives, and `curia.find`.", hidden = {
        "set_member", "add_usage", "enter_round", "leave_round", "note", "elapsed_ms", "dice", "retry_dice",
        "free_rounds", "time_left_ms", "join", "start_nested", "launch", "buffer" } },
    { name = "subscription", class = "curia.Subscription", file = "lua/curia/engine/events.lua", owner = "Subscription",
      about = "What `run:subscribe` gives.", hidden = { "finish" } },
    { name = "council", class = "curia.Council", file = "lua/curia/council.lua", owner = "Council",
      about = "What `curia.council` gives, and what loads one.", hidden = {} },
    { name = "ctx", class = "curia.Ctx", file = "lua/curia/engine/ctx.lua", owner = "Ctx", chapter = "free-lua",
      about = "What a council's `run`, rounds in Lua, tools and functions that are members are given.",
      hidden = { "for_round" } },
  },

  -- Records that functions take or give.
  classes = {
    { file = "lua/curia/engine/events.lua", names = { "curia.Event", "curia.SubscribeOptions" } },
    { file = "lua/curia/engine/ctx.lua", names = { "curia.AskOptions" } },
    { file = "lua/curia/rules/init.lua", names = { "curia.Ballot", "curia.Decision" } },
    { file = "lua/curia/errors.lua", names = { "curia.Error" } },
    { file = "lua/curia/task.lua", names = { "curia.Task" } },
  },

  -- Modules: `require "curia.task"`; those that `curia` has as fields are found by themselves.
  modules = { "curia.schema" },

  -- Modules whose functions are told elsewhere.
  elsewhere = { ["curia.topologies"] = "topologies.md" },

  -- Functions of modules that the engine alone calls, or that stand in the reference under another name.
  hidden = {
    ["curia.rules"] = { decide = true },
    ["curia.registry.sharing"] = { register = true, unregister = true, lookup = true, list = true, freshen = true },
  },

  -- What `curia` has under a shorter name.
  shown = { ["curia.registry.sharing"] = "curia.registry" },
}
