--- What one ask of a member has said so far. A member may be asked several times at once; each ask has its stream.
local flow = require "curia.view.flow"

local M = {}

---@class curia.view.Stream
---@field iteration? integer
---@field ask? integer which of several asks at the same time
---@field status "asking"|"thinking"|"streaming"
---@field text string[] the pieces of the answer
---@field reasoning string[] the pieces of what was thought
local Stream = {}
Stream.__index = Stream

--- The stream of the ask that an event belongs to.
---@param event {iteration?: integer, ask?: integer}
---@return curia.view.Stream
function M.new(event)
  return setmetatable({
    iteration = event.iteration, ask = event.ask, status = "asking", text = {}, reasoning = {},
  }, Stream)
end

--- Whether an event belongs to this ask.
---@param event {iteration?: integer, ask?: integer}
---@return boolean
function Stream:is_of(event)
  return self.iteration == event.iteration and self.ask == event.ask
end

--- Takes in what was said.
---@param kind? "content"|"reasoning"
---@param text string
function Stream:hear(kind, text)
  local thought = kind == "reasoning"
  self.status = thought and "thinking" or "streaming"
  local pieces = thought and self.reasoning or self.text
  pieces[#pieces + 1] = text
  if self.flow and self.flowing == pieces then self.flow:feed(text) end
end

--- The answer begins anew.
function Stream:forget()
  self.text, self.reasoning, self.flow, self.status = {}, {}, nil, "asking"
end

--- The lines so far, for a column of a certain width: of the answer, or of the thoughts while there is none.
---@param columns integer
---@return curia.view.Flow
---@return boolean thought these are thoughts
function Stream:lines(columns)
  local pieces = self.text[1] and self.text or self.reasoning
  if not self.flow or self.flowing ~= pieces or self.flow.columns ~= columns then
    self.flow, self.flowing = flow.new(columns), pieces
    self.flow:feed(table.concat(pieces))
  end
  return self.flow, pieces == self.reasoning
end

return M
