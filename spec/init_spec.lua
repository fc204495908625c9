local curia = require "curia"

describe("require 'curia'", function()
  it("has the words, the runs, and what surrounds them", function()
    for _, name in ipairs { "council", "member", "round", "chair", "env", "cmd", "file", "load", "validate", "is_council", "council_from", "start", "run",
      "find", "list", "await", "cancel", "terminate", "state", "result", "events", "subscribe", "on_end", "decide", "agreement", "bias", "estimate", "register",
      "unregister", "lookup", "config" } do
      assert.is_function(curia[name], name)
    end
    for _, name in ipairs { "anonymize", "errors", "http", "json", "prompts", "task", "adapters", "rules" } do
      assert.equal(require("curia." .. name), curia[name])
    end
    assert.equal(curia.json.null, curia.null)
    assert.matches("^%d+%.%d+%.%d+", curia._VERSION)
    assert.is_nil(curia.no_such_thing)
  end)

  it("loads what is rarely used when it is asked for", function()
    local helper = require "spec.helper"
    local out = helper.script [[
      local curia = require "curia"
      print(package.loaded["curia.mock"] == nil, rawget(curia, "anonymize") == nil)
      local _ = curia.anonymize
      print(rawget(curia, "anonymize") ~= nil)
    ]]
    assert.equal("true\ttrue\ntrue\n", out)
  end)

  it("sets no global", function()
    local helper = require "spec.helper"
    local out = helper.script [[
      local before = {}
      for name in pairs(_G) do before[name] = true end
      require "curia"
      for name in pairs(_G) do if not before[name] then print(name) end end
    ]]
    assert.equal("", out)
  end)

  it("registers, looks up and forgets", function()
    curia.register("function", "spec_fn", print)
    assert.equal(print, (curia.lookup("function", "spec_fn")))
    assert.is_true(#curia.list "function" >= 1)
    assert.error_matches(function() curia.list "functoin" end, "did you mean 'function'")
    assert.same({}, curia.list { status = "blocked" })
    curia.unregister("function", "spec_fn")
    assert.is_nil((curia.lookup("function", "spec_fn")))
  end)
end)
