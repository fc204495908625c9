local A = require "spec.auto.support"
local T = require "spec.engine.support"

local function member(id)
  return { id = id, about = id .. " things", run = function() return "by " .. id end }
end

local function run(answer, more)
  T.script(answer)
  local body = { strategy = "llm_build", provider = "test", model = "m",
    palette = { members = { member "law", member "code", member "money" } } }
  for name, value in pairs(more or {}) do body[name] = value end
  return A.run(body)
end

describe("strategy llm_build", function()
  it("runs the council that a model composes", function()
    local result = run '{"members": ["code"], "rounds": ["independent_analysis"], "reason": "simple"}'
    assert.same({ "by code", nil, "llm_build" }, A.choice(result))
    assert.same({ "built", "simple" }, { result.metadata.auto.kind, result.metadata.auto.reason })
    assert.equal("built", result.metadata.sub_result.council)
  end)

  it("takes nothing that is not in the palette, and no more than it may", function()
    for answer, why in pairs {
      ['{"members": ["os"], "rounds": ["critique"]}'] = "'os' is not in the palette's members",
      ['{"members": ["law"], "rounds": ["synthesis"]}'] = "'synthesis' is not in the palette's rounds",
      ['{"members": ["law", "code", "money"], "rounds": ["critique"]}'] = "more than 2 members",
      ['{"members": ["law", "law"], "rounds": ["critique"]}'] = "stands twice",
      ['{"members": "law"}'] = "named no members", ["yes"] = "gave no JSON",
    } do
      local result = run(answer, { max_members = 2 })
      assert.equal("no_match", result.errors[1].code)
      assert.matches(why, result.errors[1].message, 1, true)
    end
  end)
end)
