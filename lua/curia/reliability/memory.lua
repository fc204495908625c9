--- A store of reliability in the memory of this process.
local reliability = require "curia.reliability"

local M = {}

local counts = {} -- member -> bucket -> {successes, failures}

local function find(member, bucket)
  local buckets = counts[member]
  return buckets and buckets[bucket]
end

local function add(member, bucket)
  counts[member] = counts[member] or {}
  local count = { successes = 0, failures = 0 }
  counts[member][bucket] = count
  return count
end

---@param member string
---@param bucket string
---@param correct boolean
---@return true
function M.record(member, bucket, correct)
  local count = find(member, bucket) or add(member, bucket)
  local name = correct and "successes" or "failures"
  count[name] = count[name] + 1
  return true
end

---@param member string
---@param bucket string
---@return number? score nil before the first record
function M.score(member, bucket)
  local count = find(member, bucket)
  return count and reliability.succession(count.successes, count.failures) or nil
end

--- Forgets everything.
function M.forget()
  counts = {}
end

return M
