--- Brown-outs, simulated on the virtual clock: a third of a council's members fail, each in a way of its own, and the
-- council concludes all the same.
local curia = require "curia"
local helper = require "spec.helper"
local json = require "curia.json"
local random = require "curia.engine.random"
local T = require "spec.engine.support"

local COUNCILS = 1000

-- What members that fail answer: always, or now and then.
local FAULTS = {
  { error = 401 }, { error = 404 }, { error = 429 }, { error = 500 }, { error = 503 }, { error = 529 },
  { error = { status = 429, retry_after_ms = 3600000 } },
  { fault = "refuse_connection" }, { fault = "cut_before" }, { fault = "hang" }, { fault = "garbage" }, { fault = "html" },
  { fault = "empty" }, { fault = "error_in_200" }, { content = "half an", fault = "cut" }, { content = "half an", fault = "silence" },
  { content = "" }, { content = "I cannot help with that.", finish_reason = "refusal" },
  { content = "x", delay_ms = 24 * 3600 * 1000 },
  { content = "Bananas. \0\1 {\"ordering\": [\"Response ZZ\"], \"winner\": 7" },
}

-- What the others answer, whatever they are asked.
local function sense(request)
  local prompt = request.messages[#request.messages].content
  if request.round == "pairwise_elimination" then return json.encode { winner = "Response A", rationale = "first" } end
  if request.round ~= "anonymized_peer_review" then return "Answer: 7" end
  local labels, seen = json.array(), {}
  for label in prompt:gmatch 'from="(Response %u+)"' do
    if not seen[label] then labels[#labels + 1] = label end
    seen[label] = true
  end
  return json.encode { ordering = labels, rationale = "as they stand" }
end

local STAGES = {
  { { type = "independent_analysis" } },
  { { type = "independent_analysis" }, { type = "peer_review" } },
  { { type = "independent_analysis" }, { type = "anonymized_peer_review" } },
  { { type = "independent_analysis" }, { type = "iterate", round = "critique", max_iterations = 2 } },
  { { type = "sample", samples = 3 } },
  { { type = "sample", samples = 4, stop_when = { posterior = 0.95 } }, { type = "critique" } },
  { { type = "independent_analysis" }, { type = "iterate", round = "pairwise_elimination", max_iterations = 16 } },
}

local function pick(dice, list) return list[dice:integer(#list)] end

-- At most a third of the members, each with its fault; some of them fail only now and then.
local function failing(dice, ids)
  local faults, left = {}, dice:integer(#ids // 3 + 1) - 1
  while left > 0 do
    local id = pick(dice, ids)
    if not faults[id] then
      faults[id] = { answer = pick(dice, FAULTS), always = dice:number() < 0.7 }
      left = left - 1
    end
  end
  return faults
end

-- Whether a council concludes: it has a final answer.
local function concludes(seed)
  local dice, ids = random.new(seed), {}
  for i = 1, 2 + dice:integer(7) do ids[i] = "m" .. i end
  local faults = failing(dice, ids)
  T.script(function(request)
    local fault = faults[request.member]
    local fails = fault and (fault.always or dice:number() < 0.5)
    return fails and fault.answer or { content = sense(request), delay_ms = dice:integer(3000) }
  end)
  local result = curia.run(T.council { ids = ids, chair = true, quorum = "majority", rounds = pick(dice, STAGES) }, "How many?",
    { seed = seed, member_timeout = "60s" })
  local good = result ~= nil and result.final ~= nil and (result.status == "ok" or result.status == "partial")
  return good, result and result.errors[1], next(faults) ~= nil
end

describe("a brown-out of a third of the members", function()
  it("is survived by 99.9 % of the councils whose quorum is a majority #slow", function()
    helper.virtual(function()
      local concluded, hit, errors = 0, 0, {}
      for seed = 1, COUNCILS do
        local good, err, failed = concludes(seed)
        concluded, hit = concluded + (good and 1 or 0), hit + (failed and 1 or 0)
        if not good then errors[#errors + 1] = ("%d: %s"):format(seed, tostring(err)) end
      end
      assert.is_true(hit > COUNCILS / 2)
      assert.is_true(concluded >= COUNCILS * 0.999, table.concat(errors, "\n"))
    end)
  end)

  it("is survived in every way of failing, one at a time", function()
    helper.virtual(function()
      for _, fault in ipairs(FAULTS) do
        T.script(function(request) return request.member == "b" and fault or sense(request) end)
        local result = T.ask({ chair = true, quorum = "majority" }, "How many?", { member_timeout = "60s" })
        assert.equal("Answer: 7", result.final and result.final.content, json.encode(fault))
      end
    end)
  end)
end)
