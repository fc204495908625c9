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
---@field write? number a token written to the cache (default: `input`)
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

-- The names under which a model may have a price, best first; the first one of all is the provider's own.
local function names_of(model)
  local bare = model:match("([^/]+)$") or model
  local base = without_snapshot(bare)
  return { model, bare, base, base:find("^claude") and base:gsub("%.", "-") or base }
end

-- Names come with answers, from outside: when there are too many, it begins anew.
local MOST_NAMES = 1000
local known_names, known_count = {}, 0

local function known_names_of(model)
  local names = known_names[model]
  if names then return names end
  if known_count == MOST_NAMES then known_names, known_count = {}, 0 end
  names = names_of(model)
  known_names[model], known_count = names, known_count + 1
  return names
end

--- The price of a model: by its full name, else without the vendor in front ("openai/"), else without
--- the date of a snapshot; a key "provider/model" counts before "model". Gateways write the dots of
--- Claude's versions where Anthropic writes dashes.
---@param model string|nil
---@param provider? string the configured provider's name
---@param prices? table<string, curia.Price> instead of the shipped table
---@return curia.Price|nil
function M.price(model, provider, prices)
  if not model then return nil end
  prices = prices or shipped
  local names = known_names_of(model)
  return provider and prices[provider .. "/" .. model]
    or prices[names[1]] or prices[names[2]] or prices[names[3]] or prices[names[4]]
end

--- The cost of tokens by a price table; nil if the model has no price or the counts are not known.
---@param usage table|nil {input_tokens, output_tokens, cached_tokens, cache_write_tokens}
---@param model string|nil
---@param provider? string the configured provider's name
---@param prices? table<string, curia.Price> instead of the shipped table
---@return curia.Cost|nil
function M.of(usage, model, provider, prices)
  local price = M.price(model, provider, prices)
  local input, output = usage and usage.input_tokens, usage and usage.output_tokens
  if not price or not input or not output then return nil end
  if price.long and input > price.long.over then price = price.long end
  local cached = math.min(usage.cached_tokens or 0, input)
  local written = math.min(usage.cache_write_tokens or 0, input - cached)
  local total = (input - cached - written) * price.input
    + cached * (price.cached or price.input)
    + written * (price.write or price.input)
    + output * price.output
  return { usd = total / MILLION, source = "price_table" }
end

--- The cost of a response: what the provider reported, else by the price table.
---@param response table with `cost`, `usage`, `model`
---@param model? string the model that was asked for, where the response's own has no price
---@param provider? string
---@param prices? table<string, curia.Price>
---@return curia.Cost|nil
function M.of_response(response, model, provider, prices)
  return response.cost or M.of(response.usage, response.model, provider, prices)
    or M.of(response.usage, model, provider, prices)
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
