local fields = require "curia.jobs.fields"
local options = require "curia.engine.options"

local function read(what, opts)
  return options.read(what, opts, fields[what])
end

describe("the options of jobs", function()
  it("take durations with a unit", function()
    local opts = read("enqueue", {
      council = "panel", timeout = "2m", backoff = { base = "1s", max_ms = 5 }, unique = { key = "k", period = "1h" },
    })
    assert.same({ 120000, 1000, 5, 3600000 },
      { opts.timeout_ms, opts.backoff.base_ms, opts.backoff.max_ms, opts.unique.period })
  end)

  it("refuse what is unknown or wrong, and name the nearest", function()
    for message, opts in pairs {
      ["unknown field 'quue'; did you mean 'queue'"] = { council = "p", quue = "x" },
      ["has no council"] = { input = "Why?" },
      ["has no key"] = { council = "p", unique = { period = 5 } },
      ["max_attempts"] = { council = "p", max_attempts = 0 },
      ["input.*has no data form"] = { council = "p", input = { f = print } },
    } do assert.error_matches(function() read("enqueue", opts) end, message) end
    assert.error_matches(function() read("schedule", { council = "p", name = "n" }) end, "has no cron")
    assert.error_matches(function() read("list", { state = "complete" }) end, "did you mean 'completed'")
  end)
end)
