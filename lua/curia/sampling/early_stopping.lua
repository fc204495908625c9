--- When enough votes are in: three tests that say so before the last sample is asked.
--
--     unassailable      no vote that is still to come can change the winner
--     posterior = p     the leader is the most frequent answer with probability p
--                       (adaptive consistency: Aggarwal, Madaan, Yang, Mausam 2023)
--     window = w        w answers in a row, from one multiple of w to the next, are the same
--                       (early-stopping self-consistency: Li et al. 2024)
--
-- Only the first is exact; the other two save more calls and may, rarely, change the outcome.
local M = {}

-- ---- unassailable -------------------------------------------------------------------------------

-- All that is to come goes to the runner-up at worst; a tie would be broken in some other way.
local function plurality_is_settled(tally, remaining)
  return tally.best - tally.second > remaining
end

-- Of all votes, also those to come, the leader has more than half; or nobody can reach that any more.
local function majority_is_settled(tally, remaining)
  local all = #tally.votes + remaining
  return 2 * tally.best > all or 2 * (tally.best + remaining) <= all
end

local SETTLED = { plurality = plurality_is_settled, majority = majority_is_settled }

--- Whether no vote that is still to come can change the winner. Votes to come may turn out to be none.
---@param tally curia.Tally
---@param remaining integer votes to come, at most
---@param rule "plurality"|"majority"
---@return boolean
function M.unassailable(tally, remaining, rule)
  return SETTLED[rule](tally, remaining)
end

-- ---- posterior ----------------------------------------------------------------------------------

-- P(X <= k) of a binomial distribution of n trials at 1/2; in logarithms, as 2^-n is 0 for a large n.
local function half_binomial(n, k)
  local log_term, sum = -n * math.log(2), 0
  for i = 0, k do
    sum = sum + math.exp(log_term)
    log_term = log_term + math.log((n - i) / (i + 1))
  end
  return sum
end

--- The probability that the leader is more frequent than the answer behind it. With a uniform prior over the two,
--- their share is Beta(best + 1, second + 1), and the part of it above 1/2 is 1 - I(1/2; best + 1, second + 1): a tail
--- of the binomial distribution (Aggarwal et al. 2023, section 3; Abramowitz, Stegun 26.5.24).
---@param tally curia.Tally
---@return number
function M.posterior(tally)
  return 1 - half_binomial(tally.best + tally.second + 1, tally.second)
end

-- ---- window -------------------------------------------------------------------------------------

--- Whether the last window is full and all its answers are the same.
---@param tally curia.Tally
---@param width integer
---@return boolean
function M.window(tally, width)
  local votes = tally.votes
  if #votes == 0 or #votes % width ~= 0 then return false end
  for i = #votes - width + 1, #votes do
    if votes[i] ~= votes[#votes] then return false end
  end
  return true
end

-- ---- the tests that an option asks for ------------------------------------------------------------

local function unassailable_test(rule)
  if not SETTLED[rule] then
    return nil, ("'unassailable' is known for the rules plurality and majority, not for %s"):format(tostring(rule))
  end
  return function(tally, remaining) return M.unassailable(tally, remaining, rule) and "unassailable" end
end

local function likely_test(wanted)
  return function(tally)
    if wanted.posterior and M.posterior(tally) >= wanted.posterior then return "posterior" end
    return wanted.window and M.window(tally, wanted.window) and "window"
  end
end

--- The test that an option `until` asks for.
---@param wanted "unassailable"|{posterior?: number, window?: integer}
---@param rule any the decision rule
---@return (fun(tally: curia.Tally, remaining: integer): string|false|nil)? test gives the reason to stop
---@return string? message why there is none
function M.test(wanted, rule)
  if wanted == "unassailable" then return unassailable_test(rule) end
  return likely_test(wanted)
end

return M
