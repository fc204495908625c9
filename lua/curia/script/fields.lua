--- The fields of a script of canned answers, as rules for `curia.language.check`.
local M = {}

--- What may go wrong on purpose.
M.faults = {
  "refuse_connection", "cut_before", "cut", "reset", "hang", "silence", "slow",
  "html", "empty", "garbage", "error_in_200", "no_done",
}

local text = { type = "string" }
local count = { type = "integer", min = 0 }
local duration = { type = "number", min = 0 }

M.usage = {
  input_tokens = count, output_tokens = count, cached_tokens = count, cache_write_tokens = count,
  reasoning_tokens = count,
}

M.error = {
  status = { type = "integer", min = 400, max = 599 },
  message = text, code = text, type = text,
  retry_after_ms = duration,
  should_retry = { type = "boolean" },
}

M.tool_call = {
  id = text,
  name = { type = "string", required = true, nonempty = true },
  arguments = { type = "table|string" },
}

M.answer = {
  content = { type = "string|table" },
  reasoning = text,
  logprobs = { type = "list", items = { type = "number" } },
  stream = { type = "list", nonempty = true, items = text },
  pieces = { type = "integer", min = 1 },
  delay_ms = duration,
  chunk_delay_ms = duration,
  tool_calls = { type = "list", items = { type = "record", fields = M.tool_call } },
  usage = { type = "boolean|record", fields = M.usage },
  cost = { type = "number", min = 0 },
  finish_reason = text,
  model = text,
  error = { type = "integer|record", min = 400, max = 599, fields = M.error },
  fault = { type = "string", enum = M.faults },
  after = count,
}

-- One answer, or several that are given one after the other.
local answers = { type = "string|function|list|record", fields = M.answer }
answers.items = { type = "string|function|record", fields = M.answer }

M.match = {
  member = text, model = text, round = text,
  contains = text, system = text, path = text,
  n = { type = "integer", min = 1 },
}

M.rule = {
  match = { type = "function|record", fields = M.match, required = true },
  answer = { type = answers.type, fields = answers.fields, items = answers.items, required = true },
}

M.script = {
  about = text,
  default = answers,
  rules = { type = "list", items = { type = "record", fields = M.rule } },
}

--- The rule that a script's short forms are checked against: a text, a function, an answer, a list.
M.answers = answers

return M
