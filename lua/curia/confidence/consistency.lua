--- How many of further samples of the same question agree with the answer (self-consistency, Wang et al. 2022; as a
--- measure of confidence: Manakul, Liusie, Gales 2023).
local sameness = require "curia.confidence.sameness"

local M = { asks = true }

local SAMPLES = 5

M.options = {
  samples = { type = "integer", doc = "further answers that are asked for (5)", min = 1, max = 100 },
  temperature = { type = "number", doc = "temperature of the samples (1)", min = 0, max = 2 },
  extract = { type = "function|string", doc = "function(response): what is compared", ref = "function" },
}

---@param response table
---@param _ctx curia.Ctx
---@param _member table
---@param probe curia.Probe
---@param options {samples?: integer, temperature?: number, extract?: fun(response: table): any}
---@return number? share of the samples that agree
---@return string? why there is none
function M.measure(response, _ctx, _member, probe, options)
  local extract = options.extract or sameness.answer
  local own = extract(response)
  if own == nil then return nil, "nothing to compare could be extracted from the answer" end
  local samples = probe:samples(options.samples or SAMPLES, options.temperature)
  if #samples == 0 then return nil, "none of the samples answered" end
  local key, agreeing = sameness.key(own), 0
  for _, sample in ipairs(samples) do
    local value = extract(sample)
    if value ~= nil and sameness.key(value) == key then agreeing = agreeing + 1 end
  end
  return agreeing / #samples
end

return M
