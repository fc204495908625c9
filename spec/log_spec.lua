local config = require "curia.config"
local log = require "curia.log"
local redact = require "curia.redact"

describe("curia.log", function()
  local lines

  before_each(function()
    lines = {}
    assert(config.shared():set("call", { log = function(level, text) lines[#lines + 1] = level .. " " .. text end }))
  end)

  after_each(function()
    assert(config.shared():set("call", { log = "warn" }))
    redact.reset()
  end)

  it("gives every level to the configured function", function()
    log.write("debug", "a")
    log.write("error", "b")
    assert.same({ "debug a", "error b" }, lines)
  end)

  it("holds secrets back", function()
    redact.add("sk-very-secret-key")
    log.write("warn", "the key sk-very-secret-key is wrong")
    assert.same({ "warn the key [secret] is wrong" }, lines)
  end)

  it("survives a function that fails", function()
    assert(config.shared():set("call", { log = function() error("no log today") end }))
    assert.has_no.errors(function() log.write("debug", "x") end)
  end)
end)
