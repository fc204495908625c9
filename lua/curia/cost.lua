--- What an answer cost, in US dollars, and who says so. A cost that is not known is nil, never 0.
local shipped = require "curia.data.prices"

local M = {}

local MILLION = 1000000

---@class curia.Cost
---@field usd number
---@field source "provider"|"price_table"|"mixed"

---@class curia.Price
---@field input number US dollars per million tokens
---@field output number
---@field cached? number a token read from the cache (default: `input`)
---@field cache_write? number a token written to the cache (default: `input`)
---@field long? table the prices that count once the input exceeds `long.over` tokens

-- Snapshots cost what their model costs: "-2024-08-06", "-20250219", "@20250219", "-001", "-latest".
local SNAPSHOTS = { "%-%d%d%d%d%-%d%d%-%d%d$", "[-@]%d%d%d%d%d%d%d%d$", "%-0%d%d$", "%-%d%d%d%d$", "%-latest$" }

local function without_snapshot(name)
  for _, pattern in ipairs(SNAPSHOTS) do
    local at = name:find(pattern)
    if at then return name:sub(1, at - 1) end
  end
  return name
end

local function look_up(prices, provider, model)
  local bare = model:match("([^/]+)$") or model
  local base = without_snapshot(bare)
  local dashed = base:find("^claude") and base:gsub("%.", "-") or base
  return provider and prices[provider .. "/" .. model]
    or prices[model] or prices[bare] or prices[base] or prices[dashed]
end

-- What was found: by table of prices, provider and model; false where there is no price. Names of models
-- come with answers, from outside: when there are too many, it begins anew.
local MOST_NAMES = 1000
local found, found_count = {}, 0

local function forget_all()
  found, found_count = setmetatable({}, { __mode = "k" }), 0
end

local function found_in(prices, provider)
  local of_table = found[prices]
  if not of_table then
    of_table = {}
    found[prices] = of_table
  end
  local of_provider = of_table[provider]
  if not of_provider then
    of_provider = {}
    of_table[provider] = of_provider
  end
  return of_provider
end

local function find(prices, provider, model)
  if found_count == MOST_NAMES then forget_all() end
  local price = look_up(prices, provider, model) or false
  found_in(prices, provider or "")[model] = price
  found_count = found_count + 1
  return price
end

forget_all()

--- The price of a model: by its full name, else without the vendor in front ("openai/"), else without
--- the date of a snapshot; a key "provider/model" counts before "model". Gateways write the dots of
--- Claude's versions where Anthropic writes dashes.
---@param model string|nil
---@param provider? string the configured provider's name
---@param prices? table<string, curia.Price> instead of the shipped table; not to be changed any more
---@return curia.Price|nil
function M.price(model, provider, prices)
  if not model then return nil end
  prices = prices or shipped
  local price = found_in(prices, provider or "")[model]
  if price == nil then price = find(prices, provider, model) end
  return price or nil
end

local function priced(usage, price)
  local input, output = usage.input_tokens, usage.output_tokens
  if not input or not output then return nil end
  if price.long and input > price.long.over then price = price.long end
  local cached = math.min(usage.cached_tokens or 0, input)
  local written = math.min(usage.cache_write_tokens or 0, input - cached)
  local total = (input - cached - written) * price.input
    + cached * (price.cached or price.input)
    + written * (price.cache_write or price.input)
    + output * price.output
  return { usd = total / MILLION, source = "price_table" }
end

--- The cost of tokens by a price table; nil if the model has no price or the counts are not known.
---@param usage table|nil {input_tokens, output_tokens, cached_tokens, cache_write_tokens}
---@param model string|nil
---@param provider? string the configured provider's name
---@param prices? table<string, curia.Price> instead of the shipped table
---@return curia.Cost|nil
function M.of(usage, model, provider, prices)
  local price = usage and M.price(model, provider, prices)
  return price and priced(usage, price)
end

--- The cost of a response: what the provider reported, else by the price table.
---@param response table with `cost`, `usage`, `model`
---@param model? string the model that was asked for, where the response's own has no price
---@param provider? string
---@param prices? table<string, curia.Price>
---@return curia.Cost|nil
function M.of_response(response, model, provider, prices)
  if response.cost or not response.usage then return response.cost end
  local answered = response.model
  local price = M.price(answered, provider, prices) or answered ~= model and M.price(model, provider, prices)
  return price and priced(response.usage, price) or nil
end

-- The user's own prices come before the shipped ones.
local function own_price(model, provider, own)
  return own and M.price(model, provider, own) or M.price(model, provider)
end

--- Whether a model has a price.
---@param model string|nil
---@param provider? string
---@param own? table<string, curia.Price> the user's own, which come before the shipped ones
---@return boolean
function M.is_priced(model, provider, own)
  return own_price(model, provider, own) ~= nil
end

--- Why a model cannot stand under a budget of money.
---@param model string
---@return string
function M.unpriced(model)
  return ("model '%s' has no price, so that no budget in US dollars can hold; prices in the configuration give it one")
    :format(model)
end

--- What so many tokens will cost; nil where the model has no price.
---@param input number tokens
---@param output number tokens
---@param model string|nil
---@param provider? string
---@param own? table<string, curia.Price>
---@return number? usd
function M.estimate(input, output, model, provider, own)
  local price = own_price(model, provider, own)
  return price and priced({ input_tokens = input, output_tokens = output }, price).usd
end

--- The sum of two costs; what is unknown adds nothing. A sum of both sources says "mixed".
---@param a curia.Cost|nil
---@param b curia.Cost|nil
---@return curia.Cost|nil
function M.add(a, b)
  if not a or not b then return a or b end
  local source = a.source == b.source and a.source or "mixed"
  return { usd = a.usd + b.usd, source = source }
end

return M
