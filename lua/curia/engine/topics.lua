--- The topics of a namespace (SPEC 13): `run:<id>`, `run:<id>:sub:<member>`, `group:<name>`, `all`, those that runs
-- name themselves (`relay_topics`), and those of workflows: `workflow:<id>`, `workflows`.
--
-- A run's own topic is its log, which can replay; the others tell what happens from now on, in the order in which it
-- happens, and end when their reader stops them.
local errors = require "curia.errors"
local events = require "curia.engine.events"

local M = {}

local ALL = { "all" }

local OWN, KINDS = { all = true, workflows = true }, { run = true, group = true, workflow = true }

local function is_reserved(topic)
  return OWN[topic] or KINDS[topic:match "^(%l+):"]
end

--- Why a run cannot have these `relay_topics`.
---@param names? string[]
---@return curia.Error? err kind `validation`
function M.fault(names)
  for _, name in ipairs(names or {}) do
    if is_reserved(name) then
      return errors.new("validation", ("options: relay_topics: '%s' is a topic of Curia's own"):format(name),
        { code = "conflict" })
    end
  end
end

--- The topics on which a run's events are published, beside its own.
---@param group? curia.RunGroup
---@param names? string[] its relay_topics
---@return string[]
function M.of_run(group, names)
  if not group and not names then return ALL end
  local topics, seen = { "all", group and "group:" .. group.name or nil }, {}
  for _, name in ipairs(names or {}) do
    if not seen[name] then topics[#topics + 1] = name end
    seen[name] = true
  end
  return topics
end

-- ---- watching ---------------------------------------------------------------------------------------

-- Tokens are made only for those who watch them: the runs under way are told.
local function count_tokens(namespace, topic, count)
  for run in namespace.runs:each() do run.log:count_tokens(topic, count) end
end

---@class curia.TopicSource
---@field namespace curia.Namespace
---@field topic string
local Source = {}
Source.__index = Source

function Source:name()
  return "topic " .. self.topic
end

function Source:leave(subscription)
  local was_there = self.namespace.bus:unsubscribe(self.topic, subscription)
  if was_there and subscription.tokens then count_tokens(self.namespace, self.topic, -1) end
end

local function watch_topic(namespace, topic, opts)
  local source = setmetatable({ namespace = namespace, topic = topic }, Source)
  local subscription = events.subscription(source, opts)
  namespace.bus:subscribe(topic, subscription)
  if subscription.tokens then count_tokens(namespace, topic, 1) end
  return subscription
end

-- An id may have a ":" in it.
local function watch_run(namespace, id, opts)
  local run = namespace.by_id[id]
  if run then return run:watch(opts) end
  local outer, member = id:match "^(.*):sub:(.+)$"
  run = outer and namespace.by_id[outer]
  if run then return run.log:subscribe_to(member, opts) end
  return nil, errors.new("unknown_run", "there is no run " .. (outer or id))
end

--- Subscribes to a topic.
---@param namespace curia.Namespace
---@param topic string
---@param opts curia.SubscribeOptions `from_seq`, `requests` and `sub_runs` concern only `run:<id>`
---@return curia.Subscription?
---@return curia.Error? err kind `unknown_run`
function M.watch(namespace, topic, opts)
  local id = topic:match "^run:(.+)$"
  if id then return watch_run(namespace, id, opts) end
  return watch_topic(namespace, topic, opts)
end

return M
