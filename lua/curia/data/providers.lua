--- Providers that are known from the start. `curia.config{providers = {...}}` changes or adds entries.
local env = require("curia.language.secrets").env

local function compatible(base_url, variable, logprobs)
  return { adapter = "openai_chat", base_url = base_url, api_key = env(variable), logprobs = logprobs }
end

return {
  openai = {
    about = "OpenAI, Chat Completions",
    adapter = "openai_chat",
    base_url = "https://api.openai.com/v1",
    base_url_env = "OPENAI_BASE_URL",
    api_key = env "OPENAI_API_KEY",
  },
  openai_responses = {
    about = "OpenAI, Responses",
    adapter = "openai_responses",
    base_url = "https://api.openai.com/v1",
    base_url_env = "OPENAI_BASE_URL",
    api_key = env "OPENAI_API_KEY",
  },
  anthropic = {
    about = "Anthropic, Messages",
    adapter = "anthropic",
    base_url = "https://api.anthropic.com",
    base_url_env = "ANTHROPIC_BASE_URL",
    api_key = env "ANTHROPIC_API_KEY",
  },
  gemini = {
    about = "Google Gemini, generateContent",
    adapter = "gemini",
    base_url = "https://generativelanguage.googleapis.com/v1beta",
    api_key = env("GEMINI_API_KEY", "GOOGLE_API_KEY"),
  },
  openrouter = {
    about = "OpenRouter",
    adapter = "openrouter",
    base_url = "https://openrouter.ai/api/v1",
    api_key = env "OPENROUTER_API_KEY",
  },
  ollama = {
    about = "Ollama on this machine, or where OLLAMA_HOST says",
    adapter = "ollama",
    base_url = "http://127.0.0.1:11434",
    base_url_env = "OLLAMA_HOST",
  },
  groq = compatible("https://api.groq.com/openai/v1", "GROQ_API_KEY", false),
  mistral = compatible("https://api.mistral.ai/v1", "MISTRAL_API_KEY", false),
  deepseek = compatible("https://api.deepseek.com/v1", "DEEPSEEK_API_KEY"),
  xai = compatible("https://api.x.ai/v1", "XAI_API_KEY"),
  together = compatible("https://api.together.xyz/v1", "TOGETHER_API_KEY"),
  scripted = {
    about = "answers from a script, for tests and --offline",
    adapter = "scripted",
    model = "scripted",
  },
}
