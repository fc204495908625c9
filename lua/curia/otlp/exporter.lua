--- The task that exports: every so often, and whenever much waits, it sends what has ended. No run waits for it.
local errors = require "curia.errors"
local json = require "curia.json"
local log = require "curia.log"
local metrics = require "curia.otlp.metrics"
local queues = require "curia.otlp.queue"
local senders = require "curia.otlp.sender"
local spans = require "curia.otlp.spans"
local task = require "curia.task"

local M = {}

local MOST_WAITING, BATCH = 2048, 512

---@class curia.otlp.Exporter
---@field settings curia.otlp.Settings
---@field queue curia.otlp.Queue
---@field metrics curia.otlp.Metrics
---@field sender curia.otlp.Sender
---@field wake curia.Signal
---@field worker curia.Task
---@field stopping boolean
---@field under_way integer spans of the request that is being sent
---@field sent integer spans that the receiver has
---@field lost integer spans that it does not want, or that could not be sent
---@field failing? curia.Error of the last request, where that failed
---@field told_drops boolean
local Exporter = {}
Exporter.__index = Exporter

-- ---- what a person should know ----------------------------------------------------------------------

-- Once for each time that it begins to fail: a collector that is down for a day is one line.
local function note(self, ok, err)
  if not ok and not self.failing then
    log.write("warn", "otlp: spans and metrics are lost, from now until the receiver is well again: " .. err.message)
  end
  self.failing = not ok and err or nil
  if ok and err then log.write("warn", ("otlp: the receiver rejects %d: %s"):format(err.count, err.message)) end
end

local function tell_drops(self)
  if self.told_drops or self.queue.dropped == 0 then return end
  self.told_drops = true
  log.write("warn", ("otlp: %d spans wait to be sent: what comes now is dropped, and counted by stats()"):format(
    MOST_WAITING))
end

-- ---- sending ----------------------------------------------------------------------------------------

local function post(self, path, document)
  local ok, body, err = false, json.encode(document)
  if body then ok, err = self.sender:post(path, body) end
  note(self, ok, err)
  return ok, err
end

-- A full batch is a frame's worth of work: the program goes on in between.
local function let_others_go() task.sleep(0) end

local function send_spans(self)
  local batch = self.queue:take(BATCH)
  self.under_way = #batch
  local ok, err = post(self, "/v1/traces", spans.request(batch, self.settings.source, let_others_go))
  self.under_way = 0
  local lost = not ok and #batch or err and err.count or 0
  self.sent, self.lost = self.sent + #batch - lost, self.lost + lost
end

local function send_all(self)
  while self.queue:count() > 0 do send_spans(self) end
  if self.metrics.changed then post(self, "/v1/metrics", self.metrics:request(self.settings.source)) end
  tell_drops(self)
end

-- Nobody may have heard that much waits.
local function wait(self)
  if self.stopping or self.queue:count() >= BATCH then return end
  self.wake:wait(self.settings.interval_ms)
end

local function work(self)
  repeat
    wait(self)
    local last = self.stopping
    send_all(self)
  until last
end

--- Takes a span that has ended. Does not wait.
---@param span curia.otlp.Span
function Exporter:put(span)
  if self.queue:put(span) == BATCH then self.wake:notify() end
end

--- What has become of the spans.
---@return {sent: integer, lost: integer, dropped: integer, waiting: integer}
function Exporter:stats()
  return {
    sent = self.sent, lost = self.lost, dropped = self.queue.dropped, waiting = self.queue:count() + self.under_way,
  }
end

local function late(self, ms)
  return errors.new("timeout", ("otlp: %d spans were not sent in %g ms"):format(self:stats().waiting, ms))
end

--- Sends what waits, and ends. Idempotent.
---@async
---@param ms number the longest time that it may take
---@return true?
---@return curia.Error? err why not everything was sent
function Exporter:stop(ms)
  self.stopping = true
  self.sender:hurry_up()
  self.wake:notify()
  local ok, err = self.worker:await(ms)
  if ok == nil then
    self.worker:cancel "the export takes too long"
    return nil, late(self, ms)
  end
  if not ok then return nil, err end
  return not self.failing or nil, self.failing
end

--- Starts an exporter.
---@param settings curia.otlp.Settings
---@return curia.otlp.Exporter
function M.start(settings)
  local self = setmetatable({
    settings = settings, queue = queues.new(MOST_WAITING), metrics = metrics.new(), sender = senders.new(settings),
    wake = task.signal(), stopping = false, sent = 0, lost = 0, under_way = 0, told_drops = false,
  }, Exporter)
  self.worker = task.spawn_background(work, self)
  return self
end

return M
