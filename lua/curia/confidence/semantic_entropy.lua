--- How little the meanings of further samples spread: 1 - H / log n, H the entropy of the sizes of their clusters of
--- equal meaning (discrete semantic entropy: Kuhn, Gal, Farquhar 2023; Farquhar et al. 2024).
local prompts = require "curia.prompts"
local sameness = require "curia.confidence.sameness"

local M = { asks = true }

local SAMPLES = 5

M.options = {
  samples = { type = "integer", doc = "answers that are asked for (5)", min = 2, max = 100 },
  temperature = { type = "number", doc = "temperature of the samples (1)", min = 0, max = 2 },
  cluster = { type = "string|function", doc = "normalized, model, or function(texts) -> labels", ref = "function",
    known = { "normalized", "model" } },
}

-- ---- clusters: a label for each text, false for one that cannot be placed --------------------------

local function by_text(texts)
  local labels = {}
  for i, text in ipairs(texts) do labels[i] = sameness.key(text) end
  return labels
end

-- "Yes.", "**no**, because ..."; nil for anything else.
local function verdict(response)
  local word = response and response.content:lower():match("^%A*(%a+)")
  if word == "yes" then return true end
  if word == "no" then return false end
end

-- Two texts mean the same when each implies the other; nil: the member has not said.
local function equal(ctx, probe, a, b)
  local question = prompts.question(ctx.input)
  local answers = ctx:all {
    function() return verdict(probe:ask(prompts.entailment(question, a, b))) end,
    function() return verdict(probe:ask(prompts.entailment(question, b, a))) end,
  }
  if answers[1] == nil or answers[2] == nil then return nil end
  return answers[1] and answers[2]
end

-- Compares with all clusters at the same time; the first that fits counts. A text that fits none begins one, unless a
-- comparison failed.
local function place(ctx, probe, text, clusters)
  local compare = {}
  for i, cluster in ipairs(clusters) do
    compare[i] = function() return { same = equal(ctx, probe, cluster, text) } end
  end
  local known = true
  for i, compared in ipairs(ctx:all(compare)) do
    if compared.same then return i end
    known = known and compared.same ~= nil
  end
  if not known then return false end
  clusters[#clusters + 1] = text
  return #clusters
end

-- Equal texts need no question. A cluster is represented by its first text.
local function by_model(texts, ctx, probe)
  local labels, clusters, label_of = {}, {}, {}
  for i, text in ipairs(texts) do
    local key = sameness.key(text)
    if label_of[key] == nil then label_of[key] = place(ctx, probe, text, clusters) end
    labels[i] = label_of[key]
  end
  return labels
end

local CLUSTER = { normalized = by_text, model = by_model }

-- ---- entropy ------------------------------------------------------------------------------------

-- Sizes in the order in which the clusters appear: sums of floats depend on their order.
local function sizes_of(labels, count)
  local sizes, place_of, total = {}, {}, 0
  for i = 1, count do
    local label = labels[i]
    if label ~= nil and label ~= false then
      place_of[label] = place_of[label] or #sizes + 1
      sizes[place_of[label]] = (sizes[place_of[label]] or 0) + 1
      total = total + 1
    end
  end
  return sizes, total
end

local function entropy(sizes, total)
  local sum = 0
  for _, size in ipairs(sizes) do sum = sum - size / total * math.log(size / total) end
  return sum
end

local function texts_of(samples)
  local texts = {}
  for i, sample in ipairs(samples) do
    local answer = sameness.answer(sample)
    texts[i] = type(answer) == "string" and answer or sameness.key(answer)
  end
  return texts
end

---@param _response table
---@param ctx curia.Ctx
---@param _member table
---@param probe curia.Probe
---@param options {samples?: integer, temperature?: number, cluster?: string|fun(texts: string[]): table}
---@return number? share
---@return string? why there is none
function M.measure(_response, ctx, _member, probe, options)
  local texts = texts_of(probe:samples(options.samples or SAMPLES, options.temperature))
  if #texts < 2 then return nil, "fewer than two samples answered" end
  local cluster = options.cluster or "normalized"
  local labels = (CLUSTER[cluster] or cluster)(texts, ctx, probe)
  local sizes, total = sizes_of(labels, #texts)
  if total < 2 then return nil, "fewer than two samples could be compared" end
  return math.max(0, 1 - entropy(sizes, total) / math.log(total))
end

return M
