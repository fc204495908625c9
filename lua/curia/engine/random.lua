--- Seeded random numbers: xoshiro256** (Blackman, Vigna 2018), seeded by splitmix64.
-- Each run has a stream of its own, so that the same seed gives the same choices.
local M = {}

---@class curia.Random
local Random = {}
Random.__index = Random

local function rotate_left(x, k)
  return (x << k) | (x >> (64 - k))
end

-- splitmix64 (Steele, Lea, Flood 2014): spreads a seed over the state.
local function split(seed)
  seed = seed + 0x9E3779B97F4A7C15
  local z = seed
  z = (z ~ (z >> 30)) * 0xBF58476D1CE4E5B9
  z = (z ~ (z >> 27)) * 0x94D049BB133111EB
  return seed, z ~ (z >> 31)
end

--- A generator.
---@param seed integer
---@return curia.Random
function M.new(seed)
  local s = {}
  for i = 1, 4 do seed, s[i] = split(seed) end
  return setmetatable(s, Random)
end

--- The next 64 random bits.
---@return integer
function Random:bits()
  local s1 = self[2]
  local result = rotate_left(s1 * 5, 7) * 9
  self[3] = self[3] ~ self[1]
  self[4] = self[4] ~ s1
  self[2] = s1 ~ self[3]
  self[1] = self[1] ~ self[4]
  self[3] = self[3] ~ (s1 << 17)
  self[4] = rotate_left(self[4], 45)
  return result
end

--- A number in [0, 1).
---@return number
function Random:number()
  return (self:bits() >> 11) * (0.5 / (1 << 52))
end

--- An integer in 1..n.
---@param n integer
---@return integer
function Random:integer(n)
  return math.floor(self:number() * n) + 1
end

return M
