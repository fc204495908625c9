--- Shipped profiles. This is the one place where model names stand; replace any of them with
-- `curia.config{profiles = {...}}`.
return {
  ["openai.fast"] = { provider = "openai", model = "gpt-5-mini" },
  ["openai.balanced"] = { provider = "openai", model = "gpt-5.4" },
  ["openai.deep"] = { provider = "openai", model = "gpt-5.5" },

  ["anthropic.fast"] = { provider = "anthropic", model = "claude-haiku-4-5" },
  ["anthropic.balanced"] = { provider = "anthropic", model = "claude-sonnet-4-6" },
  ["anthropic.deep"] = { provider = "anthropic", model = "claude-opus-4-6" },

  ["gemini.fast"] = { provider = "gemini", model = "gemini-2.5-flash" },
  ["gemini.balanced"] = { provider = "gemini", model = "gemini-3.5-flash" },
  ["gemini.deep"] = { provider = "gemini", model = "gemini-2.5-pro" },

  ["openrouter.fast"] = { provider = "openrouter", model = "openai/gpt-5-mini" },
  ["openrouter.balanced"] = { provider = "openrouter", model = "anthropic/claude-sonnet-4.6" },
  ["openrouter.deep"] = { provider = "openrouter", model = "openai/gpt-5" },

  ["local"] = { about = "Ollama on this machine", provider = "ollama", model = "llama3.2" },

  -- The first provider that has a key; the local one counts when OLLAMA_HOST is set.
  fast = {
    about = "quick and cheap",
    first_of = { "openai.fast", "anthropic.fast", "gemini.fast", "openrouter.fast", "local" },
  },
  balanced = {
    about = "good answers at a fair price",
    first_of = { "openai.balanced", "anthropic.balanced", "gemini.balanced", "openrouter.balanced", "local" },
  },
  deep = {
    about = "the best answers, slower and dearer",
    first_of = { "openai.deep", "anthropic.deep", "gemini.deep", "openrouter.deep", "local" },
  },
}
