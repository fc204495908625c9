local statuses = require "curia.view.status"

local function text(status, fields)
  local member = { status = status, asked = 0, since = 0, asks = { {} }, ended = 0 }
  for name, value in pairs(fields or {}) do member[name] = value end
  return statuses.text(member, 1200)
end

local limited = { kind = "rate_limited", reason = "slow\ndown", status = 429 }

describe("curia.view.status", function()
  it("says what a member does", function()
    assert.equal("waiting", text "waiting")
    assert.equal("asked · 1.2 s", text "asking")
    assert.equal("thinking · 1.2 s", text "thinking")
    assert.equal("answering · 1.2 s", text "streaming")
    assert.equal("calls search", text("calling", { tool = "search" }))
    assert.equal("search waits for approval", text("blocked", { tool = "search" }))
    assert.equal("its council waits for approval", text "blocked")
  end)

  it("counts several asks", function()
    assert.equal("answering · 2 of 5 done · 1.2 s", text("streaming", { ended = 2, samples = 5 }))
    assert.equal("answering · 1 of 4 done · 1.2 s", text("streaming", { ended = 1, asks = { {}, {}, {} } }))
  end)

  it("says in plain words what goes wrong, and how often it was tried", function()
    assert.equal("again in 0.8 s: the provider asks to slow down: slow down (HTTP 429)",
      text("retrying", { wait_ms = 2000, error = limited, tries = 1 }))
    assert.equal("again in 0.0 s: the provider asks to slow down: slow down (HTTP 429) (3 tries so far)",
      text("retrying", { wait_ms = 0, error = limited, tries = 3 }))
    assert.equal("the key was refused: bad [2J", text("failed", { error = { kind = "auth", reason = "bad \27[2J" } }))
  end)

  it("says how it ended", function()
    local function ended(status, result) return text(status, { result = result }) end
    assert.equal("done · 5 tokens · 10 ms", ended("done", { duration_ms = 10, response = { usage = { output_tokens = 5 } } }))
    assert.equal("done · 10 ms", ended("done", { duration_ms = 10, response = {} }))
    assert.equal("skipped · early stop", ended("skipped", { status = "skipped", metadata = { reason = "early_stop" } }))
    assert.equal("out · lost", ended("skipped", { status = "eliminated", metadata = { reason = "lost" } }))
  end)
end)
