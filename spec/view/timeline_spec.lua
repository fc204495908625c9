local events = require "spec.view.events"
local timeline = require "curia.view.timeline"

local function text(level, about)
  local written = {}
  local view = timeline.open(about or events.about, level, function(piece) written[#written + 1] = piece end)
  for _, event in ipairs(events.list) do view:event(event) end
  return table.concat(written)
end

describe("curia.view.timeline", function()
  it("tells when what happened", function()
    assert.truthy(text(true):find("0.000  round 1: independent_analysis\n", 1, true))
    assert.is_nil(text(true):find("It goes well", 1, true))
  end)

  it("tells what was said, if asked", function()
    assert.truthy(text("debug"):find("It goes well.", 1, true))
  end)

  it("marks what is offline", function()
    assert.truthy(text(true, { council = "a", offline = true }):find("^OFFLINE"))
  end)

  it("lets somebody be asked", function()
    local view = timeline.open(events.about, true, function() end)
    assert.same({ "y", 2 }, { view:ask(function(...) return ... end, "y", 2) })
  end)
end)
