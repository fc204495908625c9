--- The local bus: topics, and those who listen to them. One for each namespace.
--
-- What carries events between processes has the same functions: `publish`, `subscribe`, `unsubscribe`, `wanted`,
-- `wants_tokens`. Nobody waits here: a sink has a queue of its own.
local M = {}

---@class curia.Sink
---@field tokens boolean whether it takes member_token events
---@field push fun(self: curia.Sink, event: curia.Event) never waits, never raises

---@class curia.Bus
---@field wanted boolean somebody listens to some topic: only then there is anything to publish
---@field sinks table<string, curia.Sink[]> by topic
local Bus = {}
Bus.__index = Bus

---@return curia.Bus
function M.new()
  return setmetatable({ wanted = false, sinks = {} }, Bus)
end

--- Hands an event to all that listen to a topic.
---@param topic string
---@param event curia.Event
function Bus:publish(topic, event)
  local sinks = self.sinks[topic]
  if not sinks then return end
  for i = 1, #sinks do sinks[i]:push(event) end
end

---@param topic string
---@param sink curia.Sink
function Bus:subscribe(topic, sink)
  local sinks = self.sinks[topic] or {}
  self.sinks[topic] = sinks
  sinks[#sinks + 1] = sink
  self.wanted = true
end

local function index_of(list, item)
  for i, other in ipairs(list or {}) do
    if other == item then return i end
  end
end

--- Takes a sink off a topic.
---@param topic string
---@param sink curia.Sink
---@return boolean whether it was there
function Bus:unsubscribe(topic, sink)
  local sinks = self.sinks[topic]
  local at = index_of(sinks, sink)
  if not at then return false end
  table.remove(sinks, at)
  if #sinks == 0 then self.sinks[topic] = nil end
  self.wanted = next(self.sinks) ~= nil
  return true
end

--- How many of those who listen to a topic take tokens, which are made only for them.
---@param topic string
---@return integer
function Bus:wants_tokens(topic)
  local count = 0
  for _, sink in ipairs(self.sinks[topic] or {}) do
    if sink.tokens then count = count + 1 end
  end
  return count
end

return M
