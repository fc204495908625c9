--- The tool `bm25`: finds the passages of a set of documents that fit a query best.
--
-- Okapi BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009), with the
-- idf of Lucene, ln(1 + (N - n + 0.5) / (n + 0.5)), which is never negative.
local json = require "curia.json"
local options = require "curia.engine.options"

local M = {}

local TOP_K = 4

local STOP = {}
for word in ([[an and are as at be but by for from has have if in into is it its no not of on or so such that the
their then there these they this to was were will with]]):gmatch "%a+" do
  STOP[word] = true
end

-- ---- words ----------------------------------------------------------------------------------------

-- Latin-1, Greek and Cyrillic capitals; other scripts either have none or stay as they are.
local function lower_codepoint(c)
  local plain = c >= 0xC0 and c <= 0xDE and c ~= 0xD7 or c >= 0x391 and c <= 0x3A9 or c >= 0x410 and c <= 0x42F
  if plain then return c + 32 end
  return c >= 0x400 and c <= 0x40F and c + 80 or c
end

local function lower(text)
  text = text:lower()
  if not text:find("[\x80-\xFF]") or not utf8.len(text) then return text end
  return (text:gsub("[\xC2-\xF4][\x80-\xBF]+", function(char)
    return utf8.char(lower_codepoint(utf8.codepoint(char)))
  end))
end

--- The words of a text that count: in lower case, of two characters or more, no stop words.
---@param text string
---@return string[]
function M.tokens(text)
  local tokens = {}
  for word in lower(text):gmatch "[%w\x80-\xFF]+" do
    if (utf8.len(word) or #word) >= 2 and not STOP[word] then tokens[#tokens + 1] = word end
  end
  return tokens
end

-- ---- the index ------------------------------------------------------------------------------------

local function counts_of(tokens)
  local counts = {}
  for _, token in ipairs(tokens) do counts[token] = (counts[token] or 0) + 1 end
  return counts
end

-- For each word the documents that hold it, and how often.
local function index_of(documents)
  local index, total = { postings = {}, lengths = {}, mean = 0 }, 0
  for i, document in ipairs(documents) do
    local tokens = M.tokens(document.text)
    index.lengths[i], total = #tokens, total + #tokens
    for token, count in pairs(counts_of(tokens)) do
      index.postings[token] = index.postings[token] or {}
      index.postings[token][i] = count
    end
  end
  index.mean = #documents > 0 and total / #documents or 0
  return index
end

local function size_of(map)
  local size = 0
  for _ in pairs(map) do size = size + 1 end
  return size
end

-- One word's share of the scores. Sums over the words go in the query's order, so that they are the same each time.
local function add_scores(index, token, k1, b, scores)
  local postings = index.postings[token]
  if not postings then return end
  local n = size_of(postings)
  local idf = math.log(1 + (#index.lengths - n + 0.5) / (n + 0.5))
  for i, count in pairs(postings) do
    local norm = k1 * (1 - b + b * index.lengths[i] / index.mean)
    scores[i] = (scores[i] or 0) + idf * count * (k1 + 1) / (count + norm)
  end
end

local function ranked(scores)
  local order = {}
  for i in pairs(scores) do order[#order + 1] = i end
  table.sort(order, function(x, y)
    if scores[x] ~= scores[y] then return scores[x] > scores[y] end
    return x < y
  end)
  return order
end

local function search(documents, index, opts, query, top_k)
  local scores, found = {}, json.array()
  for _, token in ipairs(M.tokens(query)) do add_scores(index, token, opts.k1 or 1.2, opts.b or 0.75, scores) end
  for rank, i in ipairs(ranked(scores)) do
    if rank > top_k then break end
    found[rank] = { text = documents[i].text, meta = documents[i].meta, score = scores[i] }
  end
  return found
end

-- ---- the tool -------------------------------------------------------------------------------------

local OPTIONS = {
  documents = { type = "list", required = true }, name = { type = "string", word = true }, about = { type = "string" },
  k1 = { type = "number", min = 0 }, b = { type = "number", min = 0, max = 1 },
}

local PARAMETERS = {
  type = "object", required = { "query" }, additionalProperties = false,
  properties = {
    query = { type = "string", description = "what to look for, in a few words" },
    top_k = { type = "integer", minimum = 1, description = "how many passages at most (4)" },
  },
}

local function documents_of(list)
  local documents = {}
  for i, item in ipairs(list) do
    if type(item) == "string" then item = { text = item } end
    if type(item) ~= "table" or type(item.text) ~= "string" then
      error(("bm25: document %d is neither a text nor {text =, meta =}"):format(i), 3)
    end
    documents[i] = item
  end
  return documents
end

--- A tool that searches documents: `bm25 { documents = {...} }`, or `bm25 { "text", {text =, meta =}, ... }`.
--- Its `run` gives `{{text, meta, score}, ...}`, the best first.
---@param opts table {documents =, name =, about =, k1 =, b =}, or the list of documents
---@return table tool
function M.new(opts)
  if type(opts) == "table" and opts[1] ~= nil then opts = { documents = opts } end
  opts = options.read("bm25", opts or {}, OPTIONS)
  local documents = documents_of(opts.documents)
  local index = index_of(documents)
  return {
    name = opts.name or "bm25", parameters = PARAMETERS, idempotent = true,
    about = opts.about or ("Searches %d documents by keywords; gives the passages that fit best."):format(#documents),
    run = function(args)
      if type(args.query) ~= "string" then return nil, "query must be a text" end
      local top_k = math.tointeger(args.top_k) or TOP_K
      return search(documents, index, opts, args.query, math.min(top_k, #documents))
    end,
  }
end

return M
