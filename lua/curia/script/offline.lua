--- The answers that are given where no script says otherwise: `--offline`, and `curia mock` alone.
--
-- They depend on nothing but the member, the round and the question, and begin with "[offline]", so
-- that an invented answer never passes for a real one.
local ballots = require "curia.script.ballot"
local example = require "curia.script.example"
local json = require "curia.json"

local M = {}

--- How every canned answer begins.
M.MARK = "[offline]"

local QUESTION = 80

-- Fit for any question, so that nobody takes them for an answer to this one.
local TEXTS = {
  independent = {
    "the common answer is right in most cases; what matters is the case where it fails.",
    "it depends on one fact that the question does not give; with that fact, the answer is plain.",
    "there are two good answers, and they differ in what they take for granted; say that first.",
    "take the simplest answer that fits the facts, and keep it until a fact speaks against it.",
    "part of this can be known and part only guessed; answer the first part, and mark the second.",
  },
  critique = {
    "the argument holds, but nothing in it could prove it wrong.",
    "the objections are listed without their weight; the second one matters, the others do not.",
    "the conclusion may be right, but for another reason: it takes for granted what it should show.",
    "it is careful with the facts and careless with the words between them.",
  },
  review = {
    "clear and short, but it never says what would change its mind.",
    "it answers the question that was asked, which not all of them do.",
    "careful with the facts, too careful with the conclusion.",
  },
  synthesis = {
    "the members agree on the main point and differ in what they take for granted; it holds where that is said too.",
    "the answers differ less than they seem: each depends on one fact that is missing, so find that out first.",
  },
}

-- FNV-1a, 32 bits, with its bits mixed at the end: the same text gives the same number everywhere.
local function hash(text)
  local value = 2166136261
  for i = 1, #text do value = ((value ~ text:byte(i)) * 16777619) & 0xffffffff end
  value = ((value ~ value >> 16) * 0x85ebca6b) & 0xffffffff
  value = ((value ~ value >> 13) * 0xc2b2ae35) & 0xffffffff
  return value ~ value >> 16
end

local function pick(list, seed)
  return list[hash(seed) % #list + 1]
end

local function shortened(text)
  text = text:gsub("%s+", " "):gsub("^ ", ""):gsub(" $", "")
  if #text <= QUESTION then return text end
  local cut = utf8.len(text) and utf8.offset(text, 0, QUESTION + 1) or QUESTION + 1
  return text:sub(1, cut - 1) .. "..."
end

-- The question stands in the first user message, behind "Question:" or as its first line.
local function question_of(request)
  for _, message in ipairs(request.messages or {}) do
    if message.role == "user" then
      local text = M.text(message)
      return shortened(text:match("Question:%s*([^\n]+)") or text:match("[^\n]*%S[^\n]*") or text)
    end
  end
  return ""
end

--- The text of a message whose content is a text or a list of parts.
---@param message table
---@return string
function M.text(message)
  local content = message.content
  if type(content) == "string" then return content end
  local pieces = {}
  for i, part in ipairs(type(content) == "table" and content or {}) do
    pieces[i] = type(part) == "table" and part.text or tostring(part)
  end
  return table.concat(pieces)
end

local function whole_text(request)
  local pieces = {}
  for i, message in ipairs(request.messages or {}) do pieces[i] = M.text(message) end
  return table.concat(pieces, "\n")
end

local function all_of(text, pattern)
  local labels, seen = {}, {}
  for label in text:gmatch(pattern) do
    if not seen[label] then labels[#labels + 1] = label end
    seen[label] = true
  end
  return labels
end

-- The labels of the fenced answers, else every "Response A", in an order of the member's own.
local function labels_in(text, seed)
  local labels = all_of(text, '<answer from="([^"\n]+)">')
  if #labels == 0 then labels = all_of(text, "Response %u+%f[%U]") end
  table.sort(labels, function(a, b)
    local x, y = hash(seed .. a), hash(seed .. b)
    return x == y and a < b or x < y
  end)
  return labels
end

local KINDS = {
  { "synthes", "synthesis" }, { "chair", "synthesis" }, { "critique", "critique" }, { "critic", "critique" },
  { "review", "review" }, { "rank", "review" },
}

-- The better of two fenced answers, the same whichever stands first.
local function better_of(prompt, seed)
  local winner, highest
  for label, text in prompt:gmatch '<answer from="([^"\n]+)">\n(.-)\n</answer>' do
    local value = hash(seed .. text)
    if not highest or value > highest then winner, highest = label, value end
  end
  return winner
end

-- What is asked for, told by the round's name, else by the chair's id.
local function kind_of(request)
  local name = (request.round or ""):lower() .. " " .. (request.member or ""):lower()
  for _, entry in ipairs(KINDS) do
    if name:find(entry[1], 1, true) then return entry[2] end
  end
  return "independent"
end

local function sentence(request, kind, seed)
  local who, question = request.member or request.model or "member", question_of(request)
  local about = question ~= "" and (' on "%s"'):format(question) or ""
  return ("%s %s%s: %s"):format(M.MARK, who, about, pick(TEXTS[kind], seed))
end

local function structured(request, kind, seed, labels)
  local function fill() return sentence(request, kind, seed) end
  return (json.encode(example.of(request.schema, fill, labels)))
end

-- A member that is asked how sure it is says so: more sure than not.
local function with_confidence(text, prompt, seed)
  if not prompt:find('"Confidence: <number>%"', 1, true) then return text end
  return ("%s\nConfidence: %d%%"):format(text, 50 + hash(seed) % 50)
end

--- The canned answer to a request.
---@param request table neutral request
---@return table answer
function M.answer(request)
  local prompt, kind = whole_text(request), kind_of(request)
  local seed = ("%s\n%s\n%s"):format(request.member or request.model or "", request.round or kind, question_of(request))
  local labels = labels_in(prompt, seed)
  if request.schema then return { content = structured(request, kind, seed, labels) } end
  local ballot = ballots.of(prompt, labels)
  if ballot then
    ballot.rationale = sentence(request, "review", seed)
    return { content = with_confidence(json.encode(ballot), prompt, seed) }
  end
  if #labels == 2 and prompt:find('"winner"', 1, true) then
    local verdict = { winner = better_of(prompt, seed), rationale = sentence(request, "review", seed) }
    return { content = (json.encode(verdict)) }
  end
  return { content = with_confidence(sentence(request, kind, seed), prompt, seed) }
end

return M
