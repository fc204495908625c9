local listeners = require "curia.otlp.listener"
local names = require "curia.telemetry.names"

local function heard()
  local calls = {}
  local traces = {
    began = function(_, level) calls[#calls + 1] = "began " .. level end,
    finished = function(_, level, _, _, err) calls[#calls + 1] = "finished " .. level .. (err and " " .. err.kind or "") end,
  }
  local metrics = {
    request_ended = function(_, _, _, err) calls[#calls + 1] = "request " .. (err and err.kind or "ok") end,
    run_ended = function() calls[#calls + 1] = "run" end,
  }
  return listeners.new(traces, metrics), calls
end

describe("the listener of the export", function()
  it("wants events that there are", function()
    for _, name in ipairs(listeners.names) do assert.is_table(names.all[name], name) end
  end)

  it("takes what begins and what ends", function()
    local listen, calls = heard()
    listen("run.start", {}, {})
    listen("provider.request.start", {}, {})
    listen("provider.request.stop", {}, {})
    listen("run.stop", {}, {})
    assert.same({ "began run", "began provider.request", "finished provider.request", "request ok", "finished run", "run" },
      calls)
  end)

  it("takes an exception for the reason of the stop behind it, and of no other", function()
    local listen, calls = heard()
    listen("provider.request.exception", {}, { error = { kind = "transient" } })
    listen("provider.request.stop", {}, {})
    listen("member.stop", {}, {})
    assert.same({ "finished provider.request transient", "request transient", "finished member" }, calls)
  end)
end)
