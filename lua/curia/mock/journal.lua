--- What the mock server counts and remembers. No secret is kept: of the headers only those that
-- cannot hold one, of the query everything but keys.
local json = require "curia.json"

local M = {}

local SECRET_WORDS = { "auth", "key", "token", "cookie", "secret", "password" }

---@class curia.mock.Record one request
---@field at integer Unix seconds
---@field method string
---@field path string
---@field query table<string, string>
---@field headers table<string, string>
---@field protocol? string
---@field model? string
---@field status? integer nil where nothing was answered
---@field fault? string
---@field body? any decoded
---@field duration_ms? number

---@class curia.mock.Journal
local Journal = {}
Journal.__index = Journal

local function zeroes()
  return {
    requests = 0, by_path = json.object(), by_status = json.object(), by_fault = json.object(),
    in_flight = 0, max_in_flight = 0, connections = 0, open_connections = 0, bytes_in = 0, bytes_out = 0,
  }
end

--- An empty journal.
---@param keep integer how many requests it remembers
---@return curia.mock.Journal
function M.new(keep)
  return setmetatable({ keep = keep, counts = zeroes(), records = {} }, Journal)
end

local function secret(name)
  if name:lower() == "idempotency-key" then return false end
  for _, word in ipairs(SECRET_WORDS) do
    if name:lower():find(word, 1, true) then return true end
  end
  return false
end

local function without_secrets(values)
  local kept = json.object()
  for name, value in pairs(values) do
    if not secret(name) then kept[name] = value end
  end
  return kept
end

local function bump(counts, name)
  counts[name] = (counts[name] or 0) + 1
end

--- A request has come.
---@param request curia.mock.Request
---@return curia.mock.Record
function Journal:begin(request)
  local counts = self.counts
  counts.requests = counts.requests + 1
  counts.in_flight = counts.in_flight + 1
  counts.max_in_flight = math.max(counts.max_in_flight, counts.in_flight)
  bump(counts.by_path, request.path)
  local record = {
    at = os.time(), method = request.method, path = request.path,
    query = without_secrets(request.query), headers = without_secrets(request.headers),
  }
  table.insert(self.records, record)
  if #self.records > self.keep then table.remove(self.records, 1) end
  return record
end

--- A request has been answered, or its client has gone.
---@param record curia.mock.Record
function Journal:finish(record)
  local counts = self.counts
  counts.in_flight = counts.in_flight - 1
  bump(counts.by_status, record.status and tostring(record.status) or "none")
  if record.fault then bump(counts.by_fault, record.fault) end
end

--- A copy of the counts.
---@return table
function Journal:stats()
  local copy = {}
  for name, value in pairs(self.counts) do
    if type(value) == "table" then
      local inner = json.object()
      for key, count in pairs(value) do inner[key] = count end
      value = inner
    end
    copy[name] = value
  end
  return copy
end

--- Counts from zero again and forgets the requests; what is open stays counted.
function Journal:reset()
  local open, flying = self.counts.open_connections, self.counts.in_flight
  self.counts, self.records = zeroes(), {}
  self.counts.open_connections, self.counts.in_flight, self.counts.max_in_flight = open, flying, flying
end

return M
