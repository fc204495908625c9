--- Tokens of a call before it is made: rough, but the same wherever somebody must know beforehand.
local M = {}

-- OpenAI's rule of thumb for English: a token is about four characters.
local BYTES_PER_TOKEN = 4

--- What an answer is taken to need where its member names no `max_tokens`.
M.DEFAULT_OUTPUT = 1024

--- Tokens of so many bytes of text.
---@param bytes integer
---@return integer
function M.of_bytes(bytes)
  return (bytes + BYTES_PER_TOKEN - 1) // BYTES_PER_TOKEN
end

local function bytes_of(content)
  if type(content) == "string" then return #content end
  local bytes = 0
  for _, part in ipairs(type(content) == "table" and content or {}) do
    bytes = bytes + (type(part) == "string" and #part or type(part.text) == "string" and #part.text or 0)
  end
  return bytes
end

--- Tokens of what a request says.
---@param request table neutral request
---@return integer
function M.input(request)
  local bytes = 0
  for _, message in ipairs(request.messages) do bytes = bytes + bytes_of(message.content) end
  return M.of_bytes(bytes)
end

--- Tokens that an answer may have.
---@param asked {max_tokens?: integer} a request, or a planned member
---@return integer
function M.output(asked)
  return asked.max_tokens or M.DEFAULT_OUTPUT
end

return M
