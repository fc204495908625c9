local check = require "curia.language.check"
local confidence = require "curia.confidence"
local curia = require "curia"
local registries = require "curia.registry"

local function council(fields, more)
  local body = { members = { { id = "a", provider = "scripted", confidence = fields } },
    rounds = { { type = "independent_analysis" } } }
  for name, value in pairs(more or {}) do body[name] = value end
  return curia.council "spec" (body)
end

local function faults(fields, more)
  local _, found = curia.validate(council(fields, more))
  return found or {}
end

local function first(fields, more)
  local found = faults(fields, more)
  return found[1] and found[1].path .. ": " .. found[1].code .. ": " .. found[1].message or "none"
end

describe("a strategy of confidence", function()
  it("is a name, a function or a table of functions", function()
    local registry = registries.new()
    for _, name in ipairs(confidence.names) do assert.is_function(confidence.strategy(name, registry).measure
      or confidence.strategy(name, registry).read, name) end
    assert.equal(math.abs, confidence.strategy(math.abs, registry).measure)
    local own = { measure = math.abs }
    assert.equal(own, confidence.strategy(own, registry))
    registry:register("confidence", "mine", math.abs)
    assert.equal(math.abs, confidence.strategy("mine", registry).measure)
    registry:register("confidence", "logprob", math.abs)
    assert.equal(math.abs, confidence.strategy("logprob", registry).measure)
    assert.is_nil(confidence.strategy("other", registry))
  end)

  it("explains its options in a line and gives them types that exist", function()
    local registry = registries.new()
    for _, name in ipairs(confidence.names) do
      for field, rule in pairs(confidence.fields(confidence.strategy(name, registry))) do
        assert.is_true(#rule.doc > 3 and #rule.doc < 80, field)
        check.types(rule)
      end
    end
  end)
end)

describe("validation", function()
  it("takes what there is", function()
    for _, fields in ipairs { "self_report", "logprob", "consistency", "semantic_entropy", math.abs, false,
      { strategy = "consistency", samples = 3, temperature = 0.7, extract = math.abs },
      { strategy = "semantic_entropy", samples = 3, cluster = "model", calibrate = true },
      { strategy = "semantic_entropy", cluster = math.abs }, { strategy = "self_report", calibrate = math.abs },
      { strategy = { measure = math.abs, options = { depth = { type = "integer", doc = "how deep" } } }, depth = 2 } } do
      assert.equal("none", first(fields))
      assert.equal("none", first(nil, { confidence = fields }))
    end
  end)

  it("names what is wrong, and the nearest that is right", function()
    assert.matches("^members%[1%]%.confidence: missing: .*did you mean 'self_report'", first "self_reprot")
    assert.matches("^members%[1%]%.confidence%.strategy: missing: .*did you mean 'logprob'", first { strategy = "logprop" })
    assert.equal(1, #faults { strategy = "logprop", samples = 3 })
    assert.matches("confidence%.strategy: missing", first {})
    assert.matches("confidence%.sampels: unknown_field: .*did you mean 'samples'", first { strategy = "consistency", sampels = 3 })
    assert.matches("confidence%.samples: unknown_field", first { strategy = "self_report", samples = 3 })
    assert.matches("confidence%.samples: out_of_range", first { strategy = "consistency", samples = 0 })
    assert.matches("confidence%.samples: out_of_range", first { strategy = "semantic_entropy", samples = 1 })
    assert.matches("confidence%.samples: wrong_type", first { strategy = "semantic_entropy", samples = 2.5 })
    assert.matches("confidence%.cluster: missing: .*did you mean 'model'", first { strategy = "semantic_entropy", cluster = "modell" })
    assert.matches("confidence%.calibrate: wrong_type", first { strategy = "logprob", calibrate = 1 })
    assert.matches("confidence%.strategy: wrong_type", first { strategy = { prepare = math.abs } })
    assert.matches("^members%[1%]%.confidence: wrong_type", first(true))
    assert.matches("^members%[1%]%.confidence: wrong_type", first(5))
    assert.matches("^confidence%.samples: unknown_field: .*council 'spec'", first(nil, { confidence = { strategy = "logprob", samples = 2 } }))
  end)

  it("refuses what would have no model to ask", function()
    local own = { members = { { id = "a", run = math.abs, confidence = "self_report" } } }
    assert.matches("^members%[1%]%.confidence: conflict", first(nil, own))
    own.members[1].confidence = math.abs
    assert.equal("none", first(nil, own))
    own.members[1].confidence = nil
    own.confidence = "self_report"
    assert.equal("none", first(nil, own))
  end)
end)
