local curia = require "curia"
local errors = require "curia.errors"
local json = require "curia.json"
local printer = require "curia.repl.printer"
local redact = require "curia.redact"
local T = require "spec.engine.support"

describe("a value in words", function()
  it("has sorted keys, quoted texts and one line where that fits", function()
    assert.equal('{ 1, "a", x = true, [2.5] = false }', (printer.text { 1, "a", [2.5] = false, x = true }:gsub(
      "%[2%.5%] = false, x = true", "x = true, [2.5] = false")))
    assert.equal("{}", printer.text {})
    assert.equal("null", printer.text(json.null))
    assert.equal('"a\\n\\27[2J"', printer.text "a\n\27[2J")
  end)

  it("is broken into lines where it is long, and bounded in depth and length", function()
    local wide = {}
    for i = 1, 60 do wide[i] = "entry number " .. i end
    local text = printer.text(wide, 80)
    assert.matches('^{\n  "entry number 1",\n', text)
    assert.matches("%.%.%. 20 more\n}$", text)
    assert.truthy(printer.text({ { { { { { 1 } } } } } }):find("{...}", 1, true))
    assert.matches("%.%.%. %(1000 bytes%)$", printer.text(("x"):rep(1000)))
  end)

  it("names what contains itself", function()
    local value = { name = "v" }
    value.self = value
    assert.equal('{ name = "v", self = <the same> }', printer.text(value))
  end)

  it("tells results, runs and errors in a few words", function()
    T.script "yes"
    local run = curia.start(T.council { ids = { "a" } }, "Why?")
    local result = run:await()
    assert.equal("result of spec: ok\nyes", printer.text(result))
    assert.matches("^run %x+%-.*%(spec, completed%)$", printer.text(run))
    assert.equal("auth: no key", printer.text(errors.new("auth", "no key")))
  end)

  it("holds no secrets", function()
    redact.add "sk-secret-of-mine-123"
    assert.equal('{ key = "[secret]" }', printer.text { key = "sk-secret-of-mine-123" })
    redact.reset()
  end)
end)
