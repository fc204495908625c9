--- A token bucket on the runtime's clock: so many units a minute, of which a minute's worth may be saved up.
local clock = require "curia.core.clock"

local M = {}

local MINUTE_MS = 60000

---@class curia.Bucket
---@field most number
---@field level number what may be taken at once; as of `at`
---@field at number
local Bucket = {}
Bucket.__index = Bucket

--- A full bucket.
---@param per_minute number
---@return curia.Bucket
function M.new(per_minute)
  return setmetatable({ most = per_minute, level = per_minute, at = clock.ms() }, Bucket)
end

local function refill(bucket)
  local now = clock.ms()
  bucket.level = math.min(bucket.most, bucket.level + (now - bucket.at) * bucket.most / MINUTE_MS)
  bucket.at = now
end

--- How long until so many units are there. What is more than the bucket holds waits until it is full.
---@param amount number
---@return number ms 0: now
function Bucket:wait_ms(amount)
  refill(self)
  local lacking = math.min(amount, self.most) - self.level
  return lacking > 0 and math.ceil(lacking * MINUTE_MS / self.most) or 0
end

--- Takes units, whether they are there or not.
---@param amount number
function Bucket:take(amount)
  refill(self)
  self.level = self.level - amount
end

return M
