--- Sends one export request, again and again where that may help.
local errors = require "curia.errors"
local hints = require "curia.adapters.support.hints"
local http = require "curia.http"
local json = require "curia.json"
local random = require "curia.engine.random"
local redact = require "curia.redact"
local retry = require "curia.engine.retry"
local system = require "curia.core.system"
local task = require "curia.task"

local M = {}

local TOTAL_MS = 10000
local MOST_BYTES = 1024 * 1024

-- Those of OTLP/HTTP; any other refusal is final.
local RETRYABLE = { [429] = true, [502] = true, [503] = true, [504] = true }

-- What is wrong with a request or its receiver stays wrong.
local FINAL = { ETLS = true, ETOOBIG = true }

---@class curia.otlp.Sender
---@field endpoint string
---@field headers table<string, string>
---@field policy {attempts: integer, base_ms: number, max_ms: number}
---@field hurry curia.Signal ends waits between tries
---@field hurried boolean
---@field dice curia.Random
local Sender = {}
Sender.__index = Sender

-- Without what may be a password.
local function shown(url)
  return (url:gsub("//[^/@]*@", "//"):gsub("%?.*", ""))
end

local function refused(url, status, headers)
  return errors.new(RETRYABLE[status] and "transient" or "permanent", ("%s answers %d"):format(shown(url), status), {
    status = status, retryable = RETRYABLE[status] == true, retry_after_ms = hints.retry_after_ms(headers, nil, false),
  })
end

local function unreached(url, failure)
  return errors.new("transient", ("%s: %s"):format(shown(url), failure.message), {
    code = failure.code, retryable = not FINAL[failure.code],
  })
end

local function attempt(self, url, body)
  local exchange <close>, failure = http.start {
    url = url, method = "POST", headers = self.headers, body = body, total_timeout_ms = TOTAL_MS,
    max_body_bytes = MOST_BYTES,
  }
  if not exchange then return nil, unreached(url, failure) end
  local status, headers, answer = http.answer(exchange)
  if not status then return nil, unreached(url, headers) end
  if status < 200 or status > 299 then return nil, refused(url, status, headers) end
  return answer or ""
end

-- nil: another try helps nobody.
local function wait_of(self, tries, err)
  if tries >= self.policy.attempts or not err.retryable or self.hurried then return nil end
  local wait_ms = retry.wait_ms(self.policy, tries, err, function() return self.dice:number() end)
  return wait_ms <= retry.LONGEST_HINT_MS and wait_ms or nil
end

-- The receiver took the request, but not all that is in it.
local function rejection(answer)
  local decoded = json.decode(answer)
  local partial = type(decoded) == "table" and decoded.partialSuccess
  if type(partial) ~= "table" then return nil end
  local count = math.tointeger(tonumber(partial.rejectedSpans or partial.rejectedDataPoints))
  if not count or count == 0 then return nil end
  return { count = count, message = redact.text(tostring(partial.errorMessage or "no reason given")) }
end

--- Posts a document.
---@async
---@param path string behind the endpoint
---@param body string JSON
---@return boolean ok
---@return curia.Error|{count: integer, message: string}|nil why not; or what of it was rejected
function Sender:post(path, body)
  local url, tries = self.endpoint .. path, 0
  while true do
    tries = tries + 1
    local answer, err = attempt(self, url, body)
    if answer then return true, rejection(answer) end
    local wait_ms = wait_of(self, tries, err)
    if not wait_ms then return false, err end
    self.hurry:wait(wait_ms)
  end
end

--- From now on nothing waits between tries: what fails, fails.
function Sender:hurry_up()
  self.hurried = true
  self.hurry:notify()
end

--- A sender.
---@param settings curia.otlp.Settings
---@return curia.otlp.Sender
function M.new(settings)
  return setmetatable({
    endpoint = settings.endpoint, headers = settings.headers, policy = settings.retry,
    hurry = task.signal(), hurried = false, dice = random.new(system.random_integer()),
  }, Sender)
end

return M
