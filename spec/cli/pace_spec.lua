local configuration = require "curia.config"
local offline = require "curia.script.offline"
local pace = require "curia.cli.pace"

local REQUEST = { messages = { { role = "user", content = "Why?" } }, member = "a", round = "r" }

describe("curia.cli.pace", function()
  it("says the same, in no hurry", function()
    local answer = pace.answer(REQUEST)
    assert.equal(offline.answer(REQUEST).content, answer.content)
    assert.is_true(answer.chunk_delay_ms > 0)
  end)

  it("leaves a script of the user's alone", function()
    local config = configuration.new()
    pace.slow_down(config)
    assert.equal(pace.answer, config:get("providers").scripted.script)
    local own = configuration.new()
    assert(own:set("call", { providers = { scripted = { script = "mine" } } }))
    pace.slow_down(own)
    assert.equal("mine", own:get("providers").scripted.script)
  end)
end)
