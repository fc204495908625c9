--- Strategy `embedding`: the entry whose description is nearest to the question, by the cosine of their vectors, if it
-- is near enough (`threshold`).
local embeddings = require "curia.embeddings"
local prompts = require "curia.prompts"

local function cosine(a, b)
  local dot, aa, bb = 0, 0, 0
  for i = 1, math.min(#a, #b) do
    dot, aa, bb = dot + a[i] * b[i], aa + a[i] * a[i], bb + b[i] * b[i]
  end
  if aa == 0 or bb == 0 then return 0 end
  return dot / math.sqrt(aa * bb)
end

-- Vectors of the texts, the question's last. Those of descriptions are kept as long as the embedder is the same.
local kept = setmetatable({}, { __mode = "k" })

local function wanted(entries, known)
  local texts, owners = {}, {}
  for _, entry in ipairs(entries) do
    local text = entry.desc
    if not entry.vector and text and not known[text] then
      texts[#texts + 1], owners[#owners + 1] = text, text
    end
  end
  return texts, owners
end

local function vectors(ctx, question, entries, embedder)
  kept[embedder] = kept[embedder] or {}
  local known = kept[embedder]
  local texts, owners = wanted(entries, known)
  texts[#texts + 1] = question
  local found, err = embeddings.of(ctx, texts, embedder)
  if not found then return nil, err end
  for i, text in ipairs(owners) do known[text] = found[i] end
  return found[#texts], nil, known
end

local function choose(ctx, entries, opts)
  local question, err, known = vectors(ctx, prompts.question(ctx.input), entries, opts.embedder)
  if not question then return nil, "no embeddings: " .. tostring(err) end
  local best, score = nil, -1
  for _, entry in ipairs(entries) do
    local vector = entry.vector or entry.desc and known[entry.desc]
    local near = vector and #vector == #question and cosine(question, vector) or -1
    if near > score then best, score = entry, near end
  end
  if best and score >= opts.threshold then
    return { entry = best, score = score, reason = ("nearest description (%.3f)"):format(score) }
  end
  return nil, ("the nearest description is at %.3f, below %.2f"):format(score, opts.threshold)
end

return { name = "embedding", needs = { "catalog", "embedder" }, choose = choose }
