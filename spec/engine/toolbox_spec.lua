local errors = require "curia.errors"
local helper = require "spec.helper"
local toolbox = require "curia.engine.toolbox"

local function tool(name)
  return { name = name, run = function() return name end }
end

local function open(list)
  return helper.run(toolbox.open, nil, list)
end

describe("a toolbox", function()
  it("finds tools by name, and says what was meant", function()
    local search = tool "search"
    local box = open { search, tool "now" }
    assert.equal(search, box:find "search")
    local found, err = box:find "serach"
    assert.same({ nil, "validation", "unknown_tool" }, { found, err.kind, err.code })
    assert.matches("did you mean 'search'", err.message)
  end)

  it("is made once for tools that do not change", function()
    local list = { tool "now" }
    assert.equal(open(list), open(list))
  end)

  it("asks sets for their tools each time", function()
    local asked = 0
    local list = { tool "now", { name = "files", list = function()
      asked = asked + 1
      return { tool("read_" .. asked) }
    end } }
    assert.is_not_nil(open(list).by_name.read_1)
    local box = open(list)
    assert.same({ "now", "read_2" }, { box.tools[1].name, box.tools[2].name })
  end)

  it("says which set cannot tell its tools", function()
    local _, err = open { { name = "files", list = function() return nil, "it is down" end } }
    assert.matches("tools files: it is down", err.message)
    _, err = open { { name = "files", list = function() end } }
    assert.same({ "tool", "tools files: none were listed" }, { err.kind, err.message })
    local own = errors.new("transient", "later")
    _, err = open { { name = "files", list = function() return nil, own end } }
    assert.equal(own, err)
  end)

  it("refuses two tools of one name", function()
    local _, err = open { tool "now", { name = "set", list = function() return { tool "now" } end } }
    assert.same({ "tool", "two tools are called 'now'" }, { err.kind, err.message })
  end)
end)
