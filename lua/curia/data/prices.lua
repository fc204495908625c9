--- List prices in US dollars per million tokens, as of 2026-10. A user's own table replaces this one.
--
-- `input` and `output` are required; `cached` is a token read from the cache and `cache_write` one written to
-- it (both at the price of input where not given); `long` holds the prices that count once the input
-- exceeds `over` tokens. A model that is not here has no price: its cost stays unknown. Names are the
-- vendors' own, without the date of a snapshot.
local opus_4 = { input = 15, cached = 1.50, cache_write = 18.75, output = 75 }
local opus = { input = 5, cached = 0.50, cache_write = 6.25, output = 25 }
local sonnet = { input = 3, cached = 0.30, cache_write = 3.75, output = 15 }
local gpt_5 = { input = 1.25, cached = 0.125, output = 10 }
local gpt_5_2 = { input = 1.75, cached = 0.175, output = 14 }
local grok_fast = { input = 0.20, cached = 0.05, output = 0.50 }

return {
  -- OpenAI
  ["gpt-5"] = gpt_5,
  ["gpt-5-chat-latest"] = gpt_5,
  ["gpt-5-codex"] = gpt_5,
  ["gpt-5-mini"] = { input = 0.25, cached = 0.025, output = 2 },
  ["gpt-5-nano"] = { input = 0.05, cached = 0.005, output = 0.40 },
  ["gpt-5-pro"] = { input = 15, output = 120 },
  ["gpt-5.1"] = gpt_5,
  ["gpt-5.2"] = gpt_5_2,
  ["gpt-5.2-codex"] = gpt_5_2,
  ["gpt-5.4"] = { input = 2.50, cached = 0.25, output = 15 },
  ["gpt-5.4-mini"] = { input = 0.75, cached = 0.075, output = 4.50 },
  ["gpt-5.4-nano"] = { input = 0.20, cached = 0.02, output = 1.25 },
  ["gpt-5.5"] = { input = 5, cached = 0.50, output = 30 },
  ["gpt-4.1"] = { input = 2, cached = 0.50, output = 8 },
  ["gpt-4.1-mini"] = { input = 0.40, cached = 0.10, output = 1.60 },
  ["gpt-4.1-nano"] = { input = 0.10, cached = 0.025, output = 0.40 },
  ["gpt-4o"] = { input = 2.50, cached = 1.25, output = 10 },
  ["gpt-4o-mini"] = { input = 0.15, cached = 0.075, output = 0.60 },
  ["gpt-4-turbo"] = { input = 10, output = 30 },
  ["gpt-3.5-turbo"] = { input = 0.50, output = 1.50 },
  ["o1"] = { input = 15, cached = 7.50, output = 60 },
  ["o3"] = { input = 2, cached = 0.50, output = 8 },
  ["o3-mini"] = { input = 1.10, cached = 0.55, output = 4.40 },
  ["o3-pro"] = { input = 20, output = 80 },
  ["o4-mini"] = { input = 1.10, cached = 0.275, output = 4.40 },

  -- Anthropic; cache writes of five minutes
  ["claude-opus-5"] = opus,
  ["claude-opus-4-7"] = opus,
  ["claude-opus-4-6"] = opus,
  ["claude-opus-4-5"] = opus,
  ["claude-opus-4-1"] = opus_4,
  ["claude-opus-4"] = opus_4,
  ["claude-3-opus"] = opus_4,
  ["claude-sonnet-5"] = { input = 2, cached = 0.20, cache_write = 2.50, output = 10 },
  ["claude-sonnet-4-6"] = sonnet,
  ["claude-sonnet-4-5"] = sonnet,
  ["claude-sonnet-4"] = sonnet,
  ["claude-3-7-sonnet"] = sonnet,
  ["claude-3-5-sonnet"] = sonnet,
  ["claude-haiku-4-5"] = { input = 1, cached = 0.10, cache_write = 1.25, output = 5 },
  ["claude-3-5-haiku"] = { input = 0.80, cached = 0.08, cache_write = 1, output = 4 },
  ["claude-3-haiku"] = { input = 0.25, cached = 0.03, cache_write = 0.30, output = 1.25 },

  -- Google
  ["gemini-3-pro-preview"] = {
    input = 2, cached = 0.20, output = 12,
    long = { over = 200000, input = 4, cached = 0.40, output = 18 },
  },
  ["gemini-3-flash-preview"] = { input = 0.50, cached = 0.05, output = 3 },
  ["gemini-2.5-pro"] = {
    input = 1.25, cached = 0.125, output = 10,
    long = { over = 200000, input = 2.50, cached = 0.25, output = 15 },
  },
  ["gemini-2.5-flash"] = { input = 0.30, cached = 0.03, output = 2.50 },
  ["gemini-2.5-flash-lite"] = { input = 0.10, cached = 0.01, output = 0.40 },
  ["gemini-2.0-flash"] = { input = 0.10, cached = 0.025, output = 0.40 },

  -- xAI
  ["grok-4"] = { input = 3, cached = 0.75, output = 15 },
  ["grok-4-fast"] = grok_fast,
  ["grok-4-fast-reasoning"] = grok_fast,
  ["grok-4-fast-non-reasoning"] = grok_fast,
  ["grok-code-fast-1"] = { input = 0.20, cached = 0.02, output = 1.50 },
  ["grok-3"] = { input = 3, cached = 0.75, output = 15 },
  ["grok-3-mini"] = { input = 0.30, cached = 0.075, output = 0.50 },

  -- DeepSeek
  ["deepseek-chat"] = { input = 0.28, cached = 0.028, output = 0.42 },
  ["deepseek-reasoner"] = { input = 0.28, cached = 0.028, output = 0.42 },

  -- Groq
  ["llama-3.3-70b-versatile"] = { input = 0.59, output = 0.79 },
  ["llama-3.1-8b-instant"] = { input = 0.05, output = 0.08 },
}
