--- How many calls of one provider key may be under way, and when a key is not asked at all (SPEC 10).
--
-- A key's gate is shared by all runs. It holds nobody back until it is configured (`limits`) or taught: it lets 64
-- calls in at once and, while more would come, twice as many after each window (slow start: a window is as many
-- answers as the limit, or WINDOW_MS, as refusals come at once). The first 429 or 529, or an answer that says that
-- the allowance is spent, ends that; from then on the limit grows by one in each window of answers, and is halved at
-- most once in each (AIMD: RFC 5681, 3.1). Who waits stands in a queue that is fair between groups.
--
-- A service of this Lua state in Lua: it waits on the signals of tasks, which have deadlines and can be cancelled
-- already, and a call that need not wait pays for two comparisons and two counters.
local allowance = require "curia.engine.allowance"
local buckets = require "curia.engine.bucket"
local clock = require "curia.core.clock"
local errors = require "curia.errors"
local fair_queue = require "curia.engine.fair_queue"
local task = require "curia.task"
local tokens = require "curia.engine.tokens"

local M = {}

local START, WINDOW_MS, COOLING_MS = 64, 200, 3600000
local LEAST = 4 -- one council's fan-out: below it, its own retries wait long enough
local TOO_MUCH = { rate_limited = true, overloaded = true }

---@class curia.Gate
---@field name string the provider's
---@field limit number calls that may be under way
---@field most number the limit never grows beyond it
---@field live integer calls under way
---@field begun integer calls so far
---@field cut_at integer the calls begun when the limit was last cut: what these still say is known
---@field slow_start boolean
---@field window_ends? number slow start: when the limit doubles if somebody still waits
---@field requests? curia.Bucket
---@field tokens? curia.Bucket
---@field open boolean nothing but the limit can hold back: no buckets, nobody who waits, not cooled
---@field queue curia.FairQueue
---@field cooled? {until_ms: number, err: curia.Error}
local Gate = {}
Gate.__index = Gate

--- A gate.
---@param name string the provider's name
---@param limits? {concurrency?: integer, rpm?: integer, tpm?: integer}
---@param start? number calls that may be under way at first, where `limits` do not say (64)
---@return curia.Gate
function M.new(name, limits, start)
  limits = limits or {}
  local most = limits.concurrency
  return setmetatable({
    name = name, limit = most or start or START, most = most or math.huge, slow_start = most == nil,
    live = 0, begun = 0, cut_at = 0, queue = fair_queue.new(), requests = limits.rpm and buckets.new(limits.rpm) or nil,
    tokens = limits.tpm and buckets.new(limits.tpm) or nil, open = not (limits.rpm or limits.tpm),
  }, Gate)
end

local known = {} -- by the provider's name: {origin = what it was configured with, gates = by key}

-- The configuration is made anew from its layers when any of it changes; its values stay the same.
local function same(a, b)
  for name, value in pairs(a) do
    if b[name] ~= value then return false end
  end
  for name in pairs(b) do
    if a[name] == nil then return false end
  end
  return true
end

-- Nobody has to be found out about who answers in this process.
local function new_gate(entry)
  return M.new(entry.name, entry.limits, entry.adapter.call and math.huge or nil)
end

--- The gate of a provider's key. A provider that is configured anew begins anew.
---@param entry curia.Provider
---@param key? string
---@return curia.Gate
function M.of(entry, key)
  local provider = known[entry.name]
  if not provider or not same(provider.origin, entry.origin) then
    provider = { origin = entry.origin, gates = {} }
    known[entry.name] = provider
  end
  key = key or ""
  provider.gates[key] = provider.gates[key] or new_gate(entry)
  return provider.gates[key]
end

-- ---- exhausted credit -----------------------------------------------------------------------------

local function set_open(gate)
  gate.open = not (gate.requests or gate.tokens or gate.cooled) and gate.queue.count == 0
end

local function cool(gate, err)
  gate.cooled = gate.cooled or { until_ms = clock.ms() + COOLING_MS, err = err }
  gate.open = false
end

-- Why a key is not asked, in the vendor's words, and until when.
local function refusal(gate)
  local cooled = gate.cooled
  local left_ms = cooled and cooled.until_ms - clock.ms() or 0
  if left_ms <= 0 then
    gate.cooled = nil
    set_open(gate)
    return nil
  end
  local said = cooled.err.reason or cooled.err.message
  local when = os.date("!%Y-%m-%dT%H:%M:%SZ", (clock.wall_ms() + math.ceil(left_ms)) // 1000)
  return errors.new("quota_exhausted", ("%s: the key has no credit left and is not asked until %s: %s"):format(
    gate.name, when, said), { reason = said, code = cooled.err.code, status = cooled.err.status, provider = gate.name,
    retry_after_ms = math.ceil(left_ms), retryable = false })
end

-- ---- who waits ------------------------------------------------------------------------------------

local function begin(gate, count)
  if gate.requests then gate.requests:take(1) end
  if gate.tokens then gate.tokens:take(count) end
  gate.live, gate.begun = gate.live + 1, gate.begun + 1
  return gate.begun
end

-- Slow start: doubles the limit at the end of a window. Milliseconds until that of the next one.
local function next_window_ms(gate)
  local now = clock.ms()
  if gate.window_ends and now >= gate.window_ends then
    gate.limit, gate.window_ends = gate.limit * 2, now + WINDOW_MS
  end
  gate.window_ends = gate.window_ends or now + WINDOW_MS
  return gate.window_ends - now
end

-- Milliseconds until one may come in: 0 is now, nil when somebody has left.
local function wait_ms(gate, waiter)
  if gate.cooled then return 0 end -- to be told so
  if gate.live >= gate.limit then
    local window_ms = gate.slow_start and next_window_ms(gate) or nil
    if gate.live >= gate.limit then return window_ms end
  end
  local requests_ms = gate.requests and gate.requests:wait_ms(1) or 0
  local tokens_ms = gate.tokens and gate.tokens:wait_ms(waiter.tokens) or 0
  return math.max(requests_ms, tokens_ms)
end

-- Lets in who may come in. The first who may not is told when to look again.
local function admit(gate)
  local queue = gate.queue
  while queue.count > 0 do
    local waiter = queue:first()
    local ms = wait_ms(gate, waiter)
    if ms ~= 0 then
      if waiter.wait_ms ~= ms then
        waiter.wait_ms = ms
        waiter.signal:notify()
      end
      return
    end
    queue:pop()
    waiter.number = begin(gate, waiter.tokens)
    waiter.signal:notify()
  end
  gate.window_ends = nil
  set_open(gate)
end

-- Somebody who waits no more, for whatever reason, gives back what he has and has not taken.
local function give_up(waiter)
  if waiter.taken then return end
  local gate = waiter.gate
  if waiter.number then gate.live = gate.live - 1 else gate.queue:remove(waiter) end
  admit(gate)
end

local Waiter = { __close = give_up }

local function wait_in_line(gate, run, count)
  local waiter = setmetatable({
    gate = gate, group = run.group or "", order = run.number or 0, tokens = count, signal = task.signal(),
  }, Waiter)
  local waiting <close> = waiter
  gate.queue:push(waiter)
  gate.open = false
  admit(gate)
  while not waiter.number do
    waiter.signal:wait(waiter.wait_ms)
    waiter.wait_ms = nil
    admit(gate)
  end
  waiter.taken = true
  return waiter.number
end

-- ---- a call ---------------------------------------------------------------------------------------

--- Comes in, at once or after a wait. The gate itself is the to-be-closed value that leaves again:
--- `local guard <close> = gate`.
---@async
---@param run {group?: curia.RunGroup, number?: integer}
---@param request table neutral request
---@return integer? number of the call, for `heard`
---@return curia.Error? err kind `quota_exhausted`: the key is not asked
function Gate:enter(run, request)
  if self.open and self.live < self.limit then
    self.live, self.begun = self.live + 1, self.begun + 1
    return self.begun
  end
  local refused = self.cooled and refusal(self)
  if refused then return nil, refused end
  local number = wait_in_line(self, run, self.tokens and tokens.input(request) + tokens.output(request) or 0)
  refused = self.cooled and refusal(self)
  if not refused then return number end
  self:leave()
  return nil, refused
end

--- A call has ended.
function Gate:leave()
  self.live = self.live - 1
  if self.queue.count > 0 then admit(self) end
end

Gate.__close = Gate.leave

-- What was begun before the last cut tells nothing new. Nothing is learnt about more than was under way.
local function cut(gate, number)
  if number <= gate.cut_at then return end
  gate.limit = math.max(math.min(LEAST, gate.most), math.min(gate.limit // 2, gate.live))
  gate.slow_start, gate.window_ends, gate.cut_at = false, nil, gate.begun
end

local function grow(gate, number, headers)
  if headers and allowance.is_spent(headers) then return cut(gate, number) end
  gate.limit = math.min(gate.most, gate.limit + (gate.slow_start and 1 or 1 / gate.limit))
end

--- What a call's answer or error teaches. A limit of which half is not used proves nothing by being kept
--- (RFC 7661, 4.4).
---@param number integer what `enter` gave
---@param err? curia.Error
---@param headers? table<string, string> of a good answer
function Gate:heard(number, err, headers)
  if not err then
    if self.live * 2 >= self.limit then grow(self, number, headers) end
    return
  end
  if TOO_MUCH[err.kind] then return cut(self, number) end
  if err.kind == "quota_exhausted" then cool(self, err) end
end

return M
