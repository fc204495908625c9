--- One call of one token to each model that a council asks: does it answer, and if not, what is to be done?
local curia = require "curia"
local suggest = require "curia.suggest"

local M = {}

local DEADLINE_MS = 30000

---@class curia.doctor.Call
---@field model string "provider/model"
---@field members string[] who asks it
---@field ok boolean
---@field ms? number
---@field error? curia.Error
---@field advice? string

local function models_of(plan)
  local found, by_name = {}, {}
  local function add(member)
    if not member.model or not member.provider_name then return end
    local name = member.provider_name .. "/" .. member.model
    if not by_name[name] then
      by_name[name] = { model = name, members = {} }
      found[#found + 1] = by_name[name]
    end
    table.insert(by_name[name].members, member.id)
  end
  for _, member in ipairs(plan.members) do add(member) end
  if plan.chair then add(plan.chair) end
  return found
end

local ADVICE = {
  auth = function(err) return ("the key of %s is wrong or missing (curia help keys)"):format(err.provider) end,
  quota_exhausted = function(err) return ("the account of %s has no credit left, or its limit is reached"):format(
    err.provider) end,
  rate_limited = function() return "too many calls just now: try again in a minute" end,
  overloaded = function(err) return err.provider .. " is overloaded just now: try again later" end,
  timeout = function() return "no answer in time: the network, a proxy, or a model that is loading" end,
}

ADVICE.deadline = ADVICE.timeout

local TRANSPORT = {
  ERESOLVE = "the host's name is not known here: the network, DNS, or base_url",
  ECONNECT = "nobody answers at that address: is it running, is base_url right, is a proxy needed?",
  ETLS = "the certificate was refused: SSL_CERT_FILE, or a proxy that opens TLS",
}

local function models_hint(err, model)
  if err.status ~= 404 then return nil end
  local known = {}
  for name in pairs(require "curia.data.prices" or {}) do
    if type(name) == "string" then known[name] = true end
  end
  return "the provider knows no such model" .. suggest.hint(model:match "/(.*)$" or model, known)
end

--- What a person can do about an error.
---@param err curia.Error
---@param model string
---@return string?
function M.advice(err, model)
  if TRANSPORT[err.code] then return TRANSPORT[err.code] end
  return ADVICE[err.kind] and ADVICE[err.kind](err) or models_hint(err, model)
end

-- An answer that one token has cut off is an answer for this purpose.
local function judge(call, result)
  call.ms = result.duration_ms
  local cut = result.error and result.error.kind == "invalid_output"
  call.ok = result.status == "ok" or cut
  if call.ok then return end
  call.error = result.error
  call.advice = M.advice(result.error, call.model)
end

local function council_of(calls)
  local body = { retry = { attempts = 1 }, rounds = { { type = "independent_analysis" } }, members = {} }
  for i, call in ipairs(calls) do
    body.members[i] = { id = "m" .. i, model = call.model, max_tokens = 1, retry = { attempts = 1 } }
  end
  return curia.council "doctor" (body)
end

--- Asks each model of a plan once, all at the same time.
---@async
---@param plan curia.Plan
---@return curia.doctor.Call[]
function M.ask(plan)
  local calls = models_of(plan)
  if #calls == 0 then return calls end
  local result, err = curia.run(council_of(calls), "Say OK.", { deadline_ms = DEADLINE_MS })
  for i, call in ipairs(calls) do
    local own = result and result.rounds[1] and result.rounds[1].results["m" .. i]
    if own then judge(call, own) else call.ok, call.error = false, err end
  end
  return calls
end

return M
