--- A run's events as SPEC 13 has them, for the specs of the views: two members, one of which tries twice and fails,
--- a ranking, a chair.
local M = {}

local function response(content, more)
  local made = { content = content, usage = { input_tokens = 10, output_tokens = 5 }, finish_reason = "stop" }
  for key, value in pairs(more or {}) do made[key] = value end
  return made
end

local function good(member, content, more)
  return {
    member = member, status = "ok", attempts = 1, started_at = 0, duration_ms = 1500, model = "m-1",
    provider = "p", response = response(content, more),
  }
end

local limited = { kind = "rate_limited", message = "p: 429", reason = "slow down", status = 429 }
local refused = { kind = "auth", message = "p: 401", reason = "bad key", status = 401, member = "skeptic" }

local function bad(member)
  return {
    member = member, status = "error", attempts = 2, started_at = 0, duration_ms = 900, model = "m-2", error = refused,
  }
end

local ranking = {
  rule = "peer_ranking", winner = "optimist", ranking = { "optimist", "skeptic" },
  scores = { optimist = 1, skeptic = 0.25 }, discarded = { { voter = "skeptic", reason = "no ordering" } },
  detail = { label_to_id = { ["Response A"] = "optimist", ["Response B"] = "skeptic" } },
}

local rounds = {
  { name = "independent_analysis", idx = 1, started_at = 0, duration_ms = 2000, metadata = {},
    results = { optimist = good("optimist", "It goes well."), skeptic = bad("skeptic") } },
  { name = "ranking", idx = 2, started_at = 0, duration_ms = 1000, metadata = {}, decision = ranking,
    results = { optimist = good("optimist", "A is best.", { parsed = { ordering = { "optimist", "skeptic" } } }),
      skeptic = bad("skeptic") } },
  { name = "synthesis", idx = 3, started_at = 0, duration_ms = 1000, metadata = {},
    results = { chair = good("chair", "Ship it.\n\nBut carefully.") } },
}

--- The result of the run.
M.result = {
  run_id = "01-run", council = "advisor", status = "partial", input = { question = "Ship?" }, rounds = rounds,
  final = rounds[3].results.chair.response, decision = ranking, errors = { refused, refused },
  usage = { input_tokens = 1030, output_tokens = 15 }, duration_ms = 4000, metadata = {},
}

--- What the program tells a view beforehand.
M.about = {
  council = "advisor", question = "Ship?", offline = false,
  planned = {
    { name = "independent_analysis", members = { "optimist", "skeptic" }, chair = false },
    { name = "ranking", members = { "optimist", "skeptic" }, chair = false },
    { name = "synthesis", members = { "chair" }, chair = true },
  },
}

local function event(kind, fields)
  fields = fields or {}
  fields.v, fields.type, fields.run_id, fields.at = 1, kind, "01-run", 1000
  return fields
end

local function in_round(kind, idx, member, fields)
  fields = fields or {}
  fields.round, fields.idx, fields.member = rounds[idx].name, idx, member
  return event(kind, fields)
end

--- The events, in their order.
M.list = {
  event("run_started", { council = "advisor", input = { question = "Ship?" } }),
  in_round("round_started", 1),
  in_round("member_started", 1, "optimist", { model = "m-1" }),
  in_round("member_started", 1, "skeptic", { model = "m-2" }),
  in_round("member_token", 1, "optimist", { kind = "reasoning", text = "hm", index = 0, attempt = 1 }),
  in_round("member_token", 1, "optimist", { kind = "content", text = "It goes ", index = 0, attempt = 1 }),
  in_round("member_retry", 1, "skeptic", { attempt = 1, error = limited, wait_ms = 2000 }),
  in_round("member_token", 1, "optimist", { kind = "content", text = "well.", index = 8, attempt = 1 }),
  in_round("member_completed", 1, "optimist", { result = rounds[1].results.optimist }),
  in_round("member_completed", 1, "skeptic", { result = rounds[1].results.skeptic }),
  in_round("round_completed", 1, nil, { result = rounds[1] }),
  in_round("round_started", 2),
  in_round("member_started", 2, "optimist", { model = "m-1" }),
  in_round("member_completed", 2, "optimist", { result = rounds[2].results.optimist }),
  in_round("member_completed", 2, "skeptic", { result = rounds[2].results.skeptic }),
  in_round("round_completed", 2, nil, { result = rounds[2] }),
  in_round("round_started", 3),
  in_round("member_started", 3, "chair", { model = "m-1" }),
  in_round("member_token", 3, "chair", { kind = "content", text = "Ship", index = 0, attempt = 1 }),
  in_round("member_completed", 3, "chair", { result = rounds[3].results.chair }),
  in_round("round_completed", 3, nil, { result = rounds[3] }),
  event("log", { level = "info", text = "nearly done" }),
  event("run_completed", { result = M.result }),
}

for seq, each in ipairs(M.list) do each.seq = seq end

--- Feeds a state the events up to one of a type.
---@param view table with `apply(event, now)`
---@param last integer
---@param step_ms? number time between two events
function M.feed(view, last, step_ms)
  for i = 1, last do view:apply(M.list[i], (i - 1) * (step_ms or 100)) end
end

return M
