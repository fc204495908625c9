local T = require "spec.engine.support"
local curia = require "curia"
local helper = require "spec.helper"

local function answering(name, text, more)
  local body = { name = name, ids = { "m" }, members = { m = { run = function()
    if text then return text end
    error "it failed"
  end } } }
  for field, value in pairs(more or {}) do body[field] = value end
  return T.council(body)
end

-- A council whose decision has the margin given.
local function deciding(name, text, margin)
  local round = { name = "decide", run = function(ctx)
    ctx:conclude(text)
    return { winner = "x", ranking = { "x" }, scores = { x = 1 }, margin = margin, tie = false, ballots_used = {},
      discarded = {} }
  end }
  return curia.council(name) { rounds = { { type = round } }, members = { { id = "m", run = function() return "-" end } } }
end

local function run(body)
  return helper.virtual(function() return curia.run(curia.escalate(body), "Why?") end)
end

describe("escalate", function()
  it("keeps to the first council where its decision is clear", function()
    local result = run { from = deciding("small", "small", 0.9), to = answering("large", "large") }
    assert.same({ "ok", "small", false }, { result.status, result.final.content, result.metadata.escalated.escalated })
    assert.equal("small", result.metadata.sub_result.council)
  end)

  it("asks the second where the decision is narrow, or there is none", function()
    for _, from in ipairs { deciding("small", "small", 0.1), answering("small", "small") } do
      local result = run { from = from, to = answering("large", "large") }
      assert.same({ "ok", "large", true }, { result.status, result.final.content, result.metadata.escalated.escalated })
      assert.equal("small", result.metadata.escalated.first.council)
    end
  end)

  it("lets `when` say so", function()
    local seen
    local result = run { from = deciding("small", "small", 0.9), to = answering("large", "large"),
      when = function(decision, first)
        seen = { decision.margin, first.council }
        return true
      end }
    assert.same({ 0.9, "small" }, seen)
    assert.equal("large", result.final.content)
  end)

  it("asks the second where the first failed, and says why", function()
    local result = run { from = answering("small"), to = answering("large", "large") }
    assert.equal("large", result.final.content)
    assert.matches("the first council failed", result.metadata.escalated.reason)
  end)

  it("fails with the second's error", function()
    local result = run { from = answering("small"), to = answering("large") }
    assert.equal("error", result.status)
    assert.equal("script", result.errors[1].kind)
  end)

  it("takes a name, and names what is wrong", function()
    local council = curia.escalate "grow" { from = answering("small", "x"), to = answering("large", "y") }
    assert.equal("grow", council.name)
    assert.error_matches(function() curia.escalate { from = council } end, "escalate has no to")
    assert.error_matches(function() curia.escalate { from = council, too = council } end, "did you mean 'to'", 1, true)
    assert.error_matches(function() curia.escalate(1) end, "a name or { ... } expected", 1, true)
  end)
end)
