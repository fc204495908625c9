local events = require "spec.view.events"
local plain = require "curia.view.plain"

local function lines(about, last)
  local written = {}
  local view = plain.open(about, {
    write = function(text) written[#written + 1] = text end, now = function() return 0 end,
  })
  for i = 1, last or #events.list do view:event(events.list[i]) end
  view:close()
  return table.concat(written)
end

describe("curia.view.plain", function()
  it("tells each thing in a line, in ASCII of its own", function()
    local text = lines(events.about)
    assert.equal([[
advisor: Ship?
round 1 of 3: independent_analysis
  skeptic: again in 2.0 s: the provider asks to slow down: slow down (HTTP 429)
  optimist: done, 5 tokens, 1.5 s
  skeptic: the key was refused: bad key (HTTP 401)
  1 of 2 answered, 2.0 s
round 2 of 3: ranking
  optimist: done, 5 tokens, 1.5 s
  skeptic: the key was refused: bad key (HTTP 401)
  1 of 2 answered, 1.0 s; ranking: optimist 1, skeptic 0.25; not counted: skeptic (no ordering)
round 3 of 3: synthesis
  chair: done, 5 tokens, 1.5 s
  1 of 1 answered, 1.0 s
  info: nearly done
]], text)
    assert.is_nil(text:find("[\128-\255]"))
  end)

  it("marks what is offline", function()
    local text = lines({ council = "a", offline = true }, 1)
    assert.truthy(text:find("OFFLINE: scripted answers, no model was asked\n", 1, true))
  end)

  it("tells the turns of a round, and how they came to an end", function()
    local written = {}
    local view = plain.open({ council = "a" }, {
      write = function(text) written[#written + 1] = text end, now = function() return 0 end,
    })
    local turn = { results = {}, metadata = {}, duration_ms = 5 }
    local whole = { results = {}, metadata = { iterations = { turn }, stopped = "agreed" }, duration_ms = 5 }
    view:event { type = "round_started", round = "debate", idx = 2 }
    view:event { type = "round_started", round = "debate", idx = 2, iteration = 1 }
    view:event { type = "round_completed", round = "debate", idx = 2, iteration = 1, result = turn }
    view:event { type = "round_completed", round = "debate", idx = 2, result = whole }
    assert.equal("a\nround 2: debate\nround 2: debate, turn 1\n  0 of 0 answered, 5 ms\n"
      .. "  0 of 0 answered, 5 ms; agreed after 1 turn\n", table.concat(written))
  end)

  it("shows no control character", function()
    assert.equal("a: [2Jx y\n", lines({ council = "a", question = "\27[2Jx\ny" }, 1))
  end)
end)
