local program = require "spec.cli.program"

describe("curia diagram", function()
  it("draws with plain characters unless told otherwise", function()
    local code, out = program.run { "diagram", "llm_council" }
    assert.equal(0, code)
    assert.matches("%+%- 2 anonymized_peer_review %-", out)
    assert.equal(out, select(2, program.run { "diagram", "llm_council", "--ascii" }))
  end)

  it("prints Mermaid", function()
    assert.matches("^flowchart TD\n", select(2, program.run { "diagram", "llm_council", "--mermaid" }))
    assert.matches("^sequenceDiagram\n", select(2, program.run { "diagram", "councils/panel.lua", "--sequence" }))
  end)

  it("draws a run from its events", function()
    local _, events = program.run { "run", "panel", "Ship?", "--offline", "--events" }
    local path = program.file(events, ".jsonl")
    local code, out = program.run { "diagram", path }
    os.remove(path)
    assert.equal(0, code)
    assert.matches("\n  p1%->>p2: Ship%?\n", out)
    assert.matches("\n  p2%-%->>p1: ok, .+\n$", out)
  end)

  it("names the line that is no event", function()
    local path = program.file('{"type": "run_started"}\nnonsense\n', ".jsonl")
    local code, out, err = program.run { "diagram", path }
    os.remove(path)
    assert.same({ 1, "" }, { code, out })
    assert.is_truthy(err:find(path .. ":2: no event: ", 1, true))
    assert.equal(1, (program.run { "diagram", "/no/such.jsonl" }))
  end)

  it("says what is wrong with its arguments", function()
    for _, args in ipairs { {}, { "a", "b" }, { "nowhere" }, { "panel", "--ascii", "--mermaid" },
      { "panel", "--ascii", "--sequence" } } do
      assert.equal(64, (program.run { "diagram", table.unpack(args) }))
    end
    local path = program.file "council {"
    assert.equal(1, (program.run { "diagram", path }))
    os.remove(path)
  end)
end)
