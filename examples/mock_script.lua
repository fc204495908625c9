-- A script for `curia mock`, and for the `scripted` provider: what "the models" answer.
--
--     curia mock examples/mock_script.lua --port 8700
--     OPENAI_BASE_URL=http://127.0.0.1:8700/v1 OPENAI_API_KEY=any curia run councils/panel.lua "Ship on Friday?"
--
-- Rules are tried from top to bottom; the first that matches answers.

-- An answer may be made: the function sees the request (messages, model, schema, ...) and may wait.
local function echo(request)
  local last = request.messages[#request.messages]
  return ("%s heard: %s"):format(request.model, last.content)
end

return {
  about = "One example of everything.",

  rules = {
    -- A stream at a human pace: 300 ms until it begins, then a piece every 40 ms.
    {
      match = { contains = "slowly" },
      answer = { content = "Well, let me think about that for a moment.", delay_ms = 300, chunk_delay_ms = 40 },
    },

    -- Two answers: first a tool call, then, when the tool's result comes back, a text.
    {
      match = { contains = "weather" },
      answer = { tool_calls = { { name = "weather", arguments = { city = "Oslo" } } } },
    },
    {
      match = function(request) return request.messages[#request.messages].role == "tool" end,
      answer = function(request) return "The tool says: " .. request.messages[#request.messages].content end,
    },

    -- The first request of this member is refused for a while, the second one is answered.
    {
      match = { system = "skeptic", n = 1 },
      answer = { error = { status = 429, retry_after_ms = 500 } },
    },

    -- Structured output: a table is sent as JSON.
    { match = { contains = "vote" }, answer = { content = { choice = "A", confidence = 0.8 } } },

    -- What goes wrong in the world: a stream that is cut after three words, a server that never answers.
    { match = { contains = "cut" }, answer = { content = "Never to be said in full.", fault = "cut", after = 3 } },
    { match = { contains = "hang" }, answer = { fault = "hang" } },

    -- One rule for one protocol.
    { match = { path = "/api/chat" }, answer = { reasoning = "A local model thinks first.", content = "Done." } },
  },

  default = echo,
}
