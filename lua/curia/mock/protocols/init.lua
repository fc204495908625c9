--- Which protocol a request speaks, told by its path.
local M = {}

local anthropic = require "curia.mock.protocols.anthropic"
local gemini = require "curia.mock.protocols.gemini"
local ollama = require "curia.mock.protocols.ollama"
local openai_chat = require "curia.mock.protocols.openai_chat"
local openai_responses = require "curia.mock.protocols.openai_responses"
local openrouter = require "curia.mock.protocols.openrouter"

local by_path = {}
for _, protocol in ipairs { openai_chat, openai_responses, openrouter, anthropic, ollama } do
  for _, path in ipairs(protocol.paths) do by_path[path] = protocol end
end

--- The paths that are answered, for messages; Gemini's hold a model's name.
M.paths = {}
for path in pairs(by_path) do M.paths[#M.paths + 1] = path end
table.sort(M.paths)

--- The protocol of a path.
---@param path string
---@return table? protocol
---@return string? model where the path names it
function M.of(path)
  if by_path[path] then return by_path[path] end
  for _, pattern in ipairs(gemini.patterns) do
    local model = path:match(pattern)
    if model then return gemini, model end
  end
end

local MODELS = {
  ["/v1/models"] = openai_chat, ["/models"] = openai_chat, ["/api/v1/models"] = openrouter,
  ["/v1beta/models"] = gemini, ["/api/tags"] = ollama,
}

--- The protocol in which a path lists models.
---@param path string
---@param headers table<string, string>
---@return table?
function M.of_models(path, headers)
  local protocol = MODELS[path]
  return protocol == openai_chat and headers["anthropic-version"] and anthropic or protocol
end

return M
