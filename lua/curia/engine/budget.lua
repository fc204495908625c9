--- The budget of a run (SPEC 11): the money, tokens, calls and time that it may use.
--
-- Each attempt claims what it is taken to need before it is made, and settles what it has used after. A claim that
-- fits only once others are settled waits for them; one that does not fit at all is refused, and from then on the run
-- makes no new call: it fails, or goes straight to the chair, whose call is kept in reserve for that.
local lazy = require "curia.lazy"
local cost = require "curia.cost"
local errors = require "curia.errors"
local shared_budgets = lazy "curia.durable.shared_budget"
local task = require "curia.task"
local tokens = require "curia.engine.tokens"

local M = {}

local COUNTED = { "calls", "tokens", "usd" }
local NOTHING = { calls = 0, tokens = 0, usd = 0 }
local SLACK = 1e-9 -- sums of prices are not exact

---@class curia.Budget
---@field limits {usd?: number, tokens?: integer, calls?: integer, wall_ms?: number}
---@field spent {calls: integer, tokens: number, usd: number} settled
---@field held {calls: integer, tokens: number, usd: number} claimed, not settled
---@field said number tokens of answers: what a chair will read
---@field live integer claims that are not settled
---@field conclude boolean at the limit, the chair concludes
---@field holder string who may use it
---@field outer? curia.Budget that of the run that this one is part of, or of its group: it pays too
---@field journal? curia.Journal of a durable run, whose `outer` is shared with others
---@field refused? curia.Error why no new call starts
local Budget = { holder = "the run" }
Budget.__index = Budget

---@class curia.Claim what one attempt may use
---@field calls integer
---@field tokens number
---@field usd number
---@field output number tokens of its answer
---@field attempt? curia.Attempt
local Claim = {}
Claim.__index = Claim

-- Of the run's budget and the council's, the smaller counts, field by field.
local function strictest(own, councils)
  if not own or not councils then return own or councils end
  local limits = {}
  for _, budget in ipairs { own, councils } do
    for name, limit in pairs(budget) do limits[name] = math.min(limit, limits[name] or limit) end
  end
  return limits
end

local function zero()
  return { calls = 0, tokens = 0, usd = 0 }
end

local function new_budget(limits, plan, prices, concludes)
  return setmetatable({
    limits = limits, plan = plan, prices = prices, spent = zero(), held = zero(), said = 0, live = 0,
    conclude = concludes, settled = task.signal(), refused = nil,
  }, Budget)
end

--- The budget of a run, or nil when there is none.
---@param opts table the run's options
---@param plan curia.Plan
---@param prices? table<string, curia.Price> the user's own
---@return curia.Budget?
function M.new(opts, plan, prices)
  local limits = strictest(opts.budget, plan.spec.budget)
  if not limits then return nil end
  return new_budget(limits, plan, prices, (opts.on_budget or plan.spec.on_budget) == "conclude")
end

--- A budget that several runs share.
---@param limits {usd?: number, tokens?: integer, calls?: integer}
---@param prices? table<string, curia.Price>
---@param holder string whose it is, for messages
---@return curia.Budget
function M.shared(limits, prices, holder)
  local budget = new_budget(limits, nil, prices, false)
  budget.holder = holder
  return budget
end

--- What a durable run was started with and this process knows nothing of: it refuses nothing.
---@return curia.Budget
function M.unknown()
  return new_budget({}, nil, nil, false)
end

--- The budget of a run inside of another one: its own, if it has one, and the other's beside it.
---@param outer curia.Budget
---@param own? curia.Budget
---@param plan curia.Plan the inner run's
---@return curia.Budget
function M.inside(outer, own, plan)
  local budget = own or new_budget({}, plan, outer.prices, false)
  budget.outer = outer
  return budget
end

-- ---- prices -----------------------------------------------------------------------------------------

-- Members and chair with their fallbacks; those without a model are asked nothing.
local function each_model(plan, fn)
  local function visit(member, path)
    if member.model then fn(member, path) end
    for i, model in ipairs(member.fallback or {}) do fn(model, ("%s.fallback[%d]"):format(path, i)) end
  end
  for i, member in ipairs(plan.members) do visit(member, ("members[%d]"):format(i)) end
  if plan.chair then visit(plan.chair, "chair") end
end

--- Why a run cannot have the budget of its options: a model without a price can spend any amount.
---@param opts table
---@param plan curia.Plan
---@param prices? table<string, curia.Price>
---@return curia.Error? err kind `validation`
function M.fault(opts, plan, prices)
  if not opts.budget or not opts.budget.usd or plan.offline then return nil end
  local faults = {}
  each_model(plan, function(model, path)
    if cost.is_priced(model.model, model.provider_name, prices) then return end
    faults[#faults + 1] = { path = path .. ".model", code = "missing", message = cost.unpriced(model.model) }
  end)
  if not faults[1] then return nil end
  return errors.new("validation", ("options: budget: %s: %s"):format(faults[1].path, faults[1].message),
    { code = "missing", context = { faults = faults } })
end

local function usd_of(budget, model, input, output)
  if not budget.limits.usd then return 0 end
  return cost.estimate(input, output, model.model, model.provider_name, budget.prices) or 0
end

-- ---- claims -----------------------------------------------------------------------------------------

-- What the chair's call is kept: it will read all that was said.
local function chairs_share(budget, claim)
  local chair = budget.conclude and budget.plan.chair
  if not chair then return NOTHING end
  local input, output = budget.said + claim.tokens, tokens.output(chair)
  return { calls = 1, tokens = input + output, usd = usd_of(budget, chair, input, output) }
end

-- The limit that a claim would break, beside what is taken already.
local function broken(budget, claim, share, held)
  for _, name in ipairs(COUNTED) do
    local limit = budget.limits[name]
    if limit and budget.spent[name] + held[name] + claim[name] + share[name] > limit + SLACK then return name end
  end
end

local UNITS = { calls = "%d calls", tokens = "%d tokens", usd = "%.4g US dollars", wall_ms = "%g ms" }

local function amount(name, value)
  return UNITS[name]:format(name == "tokens" and math.ceil(value) or value)
end

local function refusal(budget, name, claim)
  local text, used = ("%s are all that %s may use"):format(amount(name, budget.limits[name]),
    budget.holder), budget.spent[name]
  if claim and name ~= "calls" then
    text = ("%s: it has used %s, and the next call may need %s"):format(text, amount(name, used),
      amount(name, claim[name]))
  end
  return errors.new("budget", text, { code = name, context = { limit = budget.limits[name], used = used } })
end

--- Refuses all that is still to come.
---@param name string the limit that is reached
---@param claim? curia.Claim
---@return curia.Error err of its own for each who asks
function Budget:refuse(name, claim)
  self.refused = self.refused or refusal(self, name, claim)
  return refusal(self, name, claim)
end

local function new_claim(budget, model, request)
  local input, output = tokens.input(request), tokens.output(model)
  return setmetatable({
    budget = budget, calls = 1, tokens = input + output, output = output, usd = usd_of(budget, model, input, output),
    settled = false,
  }, Claim)
end

local function add(total, part, sign)
  for _, name in ipairs(COUNTED) do total[name] = total[name] + sign * part[name] end
end

local function settle(claim, used)
  local budget = claim.budget
  claim.settled = true
  add(budget.held, claim, -1)
  add(budget.spent, used, 1)
  budget.live = budget.live - 1
  budget.settled:notify()
  if claim.outer then settle(claim.outer, used) end
end

-- Who waits for the outer budget may be cut short: then nothing was claimed.
local Waiting = {
  __close = function(waiting)
    if not waiting.done then waiting.claim:give_back() end
  end,
}

--- Claims what an attempt may use; waits while only what is under way stands against it. The claim is a
--- to-be-closed value.
---@async
---@param model table planned member or fallback
---@param request table neutral request
---@param is_chair boolean
---@return curia.Claim?
---@return curia.Error? err kind `budget`
function Budget:claim(model, request, is_chair)
  local claim, refused = self:claim_own(model, request, is_chair)
  if refused or not self.outer then return claim, refused end
  local waiting <close> = setmetatable({ claim = claim, done = false }, Waiting)
  claim.outer, refused = self:claim_outer(model, request)
  if refused then
    self.refused = self.refused or refused
    return nil, refused
  end
  waiting.done = true
  return claim
end

--- The same, of the outer budget.
---@async
---@param model table
---@param request table
---@return curia.Claim?
---@return curia.Error?
function Budget:claim_outer(model, request)
  if self.journal then return shared_budgets.claim(self.journal, self.outer, model, request) end
  return self.outer:claim(model, request, false)
end

local function hold(budget, claim)
  add(budget.held, claim, 1)
  budget.live = budget.live + 1
  return claim
end

--- Claims without asking whether there is so much: it was granted before.
---@param model table
---@param request table
---@return curia.Claim
function Budget:take(model, request)
  return hold(self, new_claim(self, model, request))
end

--- The same, of this budget alone.
---@async
---@param model table
---@param request table
---@param is_chair boolean
---@return curia.Claim?
---@return curia.Error?
function Budget:claim_own(model, request, is_chair)
  local claim = new_claim(self, model, request)
  while true do
    local share = is_chair and NOTHING or chairs_share(self, claim)
    local name = broken(self, claim, share, self.held)
    if not name then break end
    if self.live == 0 or broken(self, claim, share, NOTHING) then return nil, self:refuse(name, claim) end
    self.settled:wait()
  end
  return hold(self, claim)
end

--- Gives a claim back of which nothing was used.
function Claim:give_back()
  settle(self, NOTHING)
end

--- Settles what an attempt has used. What its provider does not tell counts as it was claimed.
---@param response? table
---@param begun? boolean without a response: whether an answer had begun, and was paid for
function Claim:settle(response, begun)
  if not response then return settle(self, begun and self or { calls = 1, tokens = 0, usd = 0 }) end
  local usage = response.usage or {}
  local input, output = usage.input_tokens, usage.output_tokens
  self.budget.said = self.budget.said + (output or self.output)
  settle(self, {
    calls = 1, tokens = input and output and input + output or self.tokens,
    usd = response.cost and response.cost.usd or self.usd,
  })
end

-- A call that was cut short may have been paid for; one that was not sent has cost nothing.
function Claim:__close()
  if not self.settled then settle(self, self.attempt and self.attempt.sent and self or NOTHING) end
end

return M
