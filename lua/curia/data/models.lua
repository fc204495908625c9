--- Facts about models that requests depend on. The first pattern (Lua pattern, on the bare model name
-- without a vendor prefix such as "openai/") that matches wins; an unknown model has no facts, and then
-- everything the user asked for is sent as it is.
--
-- Fields: `reasoning` (thinks before it answers: long first-byte timeout; with OpenAI it takes only
-- max_completion_tokens and refuses temperature, top_p and stop), `context` (tokens), `max_tokens`
-- (the default where the vendor requires one), `sampling = false` (refuses temperature and top_p),
-- `thinking` ("budget" | "adaptive", Anthropic), `schema` (has native structured output),
-- `effort` ("level" | "budget", Gemini), `logprobs = false` (refuses to give log probabilities). Names
-- and facts as of 2026-08; a user's table given to `models.add` comes first.
local M = {}

local claude_5 = {
  context = 1000000, max_tokens = 16384, thinking = "adaptive", sampling = false, schema = true,
}
local gemini_3 = {
  reasoning = true, context = 1048576, schema = true, effort = "level", schema_with_tools = true, logprobs = false,
}

local facts = {
  -- OpenAI
  { "^gpt%-5[%d.]*%-chat", { context = 128000 } },
  { "^gpt%-5", { reasoning = true, context = 400000 } },
  { "^o[134]$", { reasoning = true, context = 200000 } },
  { "^o[134]%-", { reasoning = true, context = 200000 } },
  { "^codex%-mini", { reasoning = true, context = 200000 } },
  { "^gpt%-4%.1", { context = 1047576 } },
  { "^gpt%-4o", { context = 128000 } },
  { "^gpt%-4%-turbo", { context = 128000 } },
  { "^gpt%-3%.5", { context = 16385 } },
  { "^gpt%-oss", { context = 131072 } },

  -- Anthropic
  { "^claude%-3%-opus", { context = 200000, max_tokens = 4096 } },
  { "^claude%-3%-sonnet", { context = 200000, max_tokens = 4096 } },
  { "^claude%-3%-haiku", { context = 200000, max_tokens = 4096 } },
  { "^claude%-3%-5", { context = 200000, max_tokens = 8192 } },
  { "^claude%-3%-7", { context = 200000, max_tokens = 16384, thinking = "budget" } },
  { "^claude%-opus%-4%-1", { context = 200000, max_tokens = 16384, thinking = "budget", schema = true } },
  { "^claude%-%a+%-4[%-.]5", { context = 200000, max_tokens = 16384, thinking = "budget", schema = true } },
  { "^claude%-%a+%-4[%-.]6", { context = 1000000, max_tokens = 16384, thinking = "adaptive", schema = true } },
  { "^claude%-%a+%-4[%-.][789]", claude_5 },
  { "^claude%-%a+%-4", { context = 200000, max_tokens = 16384, thinking = "budget" } },
  { "^claude%-%a+%-%d", claude_5 },
  { "^claude", { context = 200000, max_tokens = 4096 } },

  -- Gemini
  { "^gemini%-1%.5", { context = 1000000 } },
  { "^gemini%-2%.0", { context = 1048576 } },
  { "^gemini%-2%.5", { reasoning = true, context = 1048576, schema = true, effort = "budget" } },
  { "^gemini%-[3-9]", gemini_3 },
  { "^gemini%-pro$", { context = 32768 } },
  { "^gemini%-", { context = 1048576, schema = true } },

  -- Others that think
  { "^deepseek%-reasoner", { reasoning = true, context = 128000 } },
  { "^deepseek%-r1", { reasoning = true, context = 128000 } },
  { "^grok%-3%-mini", { reasoning = true, context = 131072 } },
  { "^grok%-4", { reasoning = true, context = 256000 } },
  { "^magistral", { reasoning = true, context = 128000 } },
  { "^qwq", { reasoning = true, context = 131072 } },
}

local NONE = {}
local known = {}
local own = {}   -- the user's facts by exact name

-- "openai/gpt-5" and Bedrock's "us.anthropic.claude-..." without what stands in front.
local function bare(model)
  local name = model:match("([^/]+)$") or model
  return name:match("anthropic%.(.+)$") or name
end

local function shipped(name)
  for _, entry in ipairs(facts) do
    if name:find(entry[1]) then return entry[2] end
  end
  return NONE
end

--- The facts about a model; an empty table for an unknown one. Not to be changed.
---@param model string|nil
---@return table
function M.of(model)
  if not model then return NONE end
  local found = known[model]
  if found then return found end
  found = own[model] or own[bare(model)] or shipped(bare(model))
  known[model] = found
  return found
end

--- Models that may think for minutes before their first byte.
---@param model string|nil
---@return boolean
function M.is_reasoning(model)
  return M.of(model).reasoning == true
end

--- OpenAI's own reasoning models, which refuse sampling fields and know only max_completion_tokens.
---@param model string|nil
---@return boolean
function M.openai_reasoning(model)
  if not M.of(model).reasoning then return false end
  local name = bare(model)
  return (name:find("^gpt%-5") or name:find("^o[134]$") or name:find("^o[134]%-") or name:find("^codex%-mini"))
    and true or false
end

--- Takes the user's facts, by exact model name; they replace the shipped ones (configuration key `models`).
---@param by_name table<string, table>|nil
function M.configure(by_name)
  own, known = by_name or {}, {}
end

--- Puts the user's own facts in front.
---@param entries table list of `{pattern, facts}`
function M.add(entries)
  known = {}
  for i = #entries, 1, -1 do table.insert(facts, 1, entries[i]) end
end

return M
