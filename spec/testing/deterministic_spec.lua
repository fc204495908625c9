local curia = require "curia"
local helper = require "spec.helper"
local system = require "curia.core.system"
local testing = require "curia.testing"

local function councils()
  local pipe, paths = assert(io.popen "ls councils/*.lua"), {}
  for path in pipe:lines() do paths[#paths + 1] = path end
  pipe:close()
  return paths
end

-- The events of an offline run, tokens and requests too, as JSON lines.
local function events_of(path, opts)
  return testing.deterministic(function()
    local capture = testing.capture()
    assert(curia.run(assert(curia.load(path)), "Should we ship on Friday?", { offline = true, subscribe = capture }))
    local lines = {}
    for i, event in ipairs(capture:events()) do lines[i] = assert(curia.json.encode(event)) end
    return table.concat(lines, "\n")
  end, opts)
end

describe("testing.deterministic", function()
  for _, path in ipairs(councils()) do
    it("gives equal events for " .. path, function()
      local first = events_of(path)
      assert.truthy(first:find('"type":"run_completed"', 1, true))
      assert.is_true(first == events_of(path))
    end)
  end

  it("gives them in each process", function()
    local source = [[
      local curia = require "curia"
      print(curia.testing.deterministic(function()
        local lines, capture = {}, curia.testing.capture()
        curia.run(curia.load "councils/tournament.lua", "Ship?", { offline = true, subscribe = capture })
        for i, event in ipairs(capture:events()) do lines[i] = curia.json.encode(event) end
        return table.concat(lines, "\n")
      end))
    ]]
    local first, code = helper.script(source)
    assert.equal(0, code, first)
    assert.is_true(first == helper.script(source))
  end)

  it("begins at a moment and with a seed that may be said", function()
    assert.is_true(events_of("councils/panel.lua") ~= events_of("councils/panel.lua", { seed = 2 }))
    local at = testing.deterministic(function()
      curia.task.sleep(250)
      return require "curia.core.clock".wall_ms()
    end, { at = 1000 })
    assert.equal(1250, at)
  end)

  it("restores what it has replaced, also after an error", function()
    local uuid7, random_integer = system.uuid7, system.random_integer
    assert.error_matches(function() testing.deterministic(function() error "boom" end) end, "boom")
    assert.same({ uuid7, random_integer }, { system.uuid7, system.random_integer })
    assert.is_false(require "curia.testing.virtual".active())
  end)

  it("refuses what it does not know, and being nested", function()
    assert.error_matches(function() testing.deterministic(print, { sede = 1 }) end, "unknown option 'sede'; did you mean 'seed'?", 1, true)
    assert.error_matches(function() testing.deterministic(print, { seed = "x" }) end, "seed is a whole number")
    testing.virtual(function()
      assert.error_matches(function() testing.deterministic(print) end, "time is virtual already")
    end)
  end)
end)
