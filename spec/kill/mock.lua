--- The server of the kill campaigns, outside of the processes that are killed: it counts the calls by the texts that are
--- asked, which name their run.
local json = require "curia.json"

local M = {}

--- What a call is known by.
---@param messages table[]
---@return string
function M.key(messages)
  local texts = {}
  for i, message in ipairs(messages) do
    local content = message.content
    texts[i] = type(content) == "string" and content or json.encode(content or "")
  end
  return table.concat(texts, "\n")
end

-- So late that no load of the machine makes it come in time.
local STRAGGLER_MS = 2000

-- Every answer follows from what was asked, and comes after a few milliseconds that do too.
local function answer(request, key)
  local sum = 0
  for i = 1, #key do sum = (sum * 31 + key:byte(i)) % 1000003 end
  local last = request.messages[#request.messages]
  local late = request.model == "dan" and key:find "quorum%-%d+$"
  local delay_ms = late and STRAGGLER_MS or 1 + sum % 12
  if request.tools and last.role ~= "tool" then
    local name = key:find("consult-", 1, true) and "consult" or "look"
    return { content = "", delay_ms = delay_ms, tool_calls = { { id = "call-" .. request.model, name = name, arguments = {} } } }
  end
  local letter = key:find("Response A", 1, true) and " Response A is best." or ""
  return { content = ("%s says %d.%s"):format(request.model, sum, letter), delay_ms = delay_ms }
end

--- Starts it.
---@param counts table<string, integer> counted here, by key
---@return table server
function M.start(counts)
  return require "curia.mock".start { keep = 1, script = function(request)
    local key = M.key(request.messages)
    counts[key] = (counts[key] or 0) + 1
    return answer(request, key)
  end }
end

return M
