local histories = require "curia.repl.history"
local redact = require "curia.redact"
local uv = require "luv"

local path

before_each(function()
  path = os.tmpname()
  os.remove(path)
end)

after_each(function() os.remove(path) end)

describe("the history", function()
  it("is there again in the next session, in a private file", function()
    local history, lines = histories.open(path)
    assert.same({}, lines)
    assert.is_true(history:add "x = 1")
    assert.is_true(history:add "x")
    assert.same({ "x = 1", "x" }, (select(2, histories.open(path))))
    assert.equal(384, uv.fs_stat(path).mode & 511)
  end)

  it("leaves out what is said twice, begins with a blank or holds what looks like a key", function()
    redact.add "the-known-secret"
    local history = histories.open(path)
    history:add "a"
    for _, line in ipairs { "a", "", " hidden", 'key = "the-known-secret"', 'api_key = "abc"', "sk-ant-api03-abcdef" } do
      assert.is_false(history:add(line), line)
    end
    redact.reset()
    assert.same({ "a" }, (select(2, histories.open(path))))
  end)

  it("is bounded", function()
    local history = histories.open(path)
    for i = 1, 1200 do history:add("line " .. i) end
    local _, lines = histories.open(path)
    assert.same({ 1000, "line 201", "line 1200" }, { #lines, lines[1], lines[#lines] })
  end)

  it("goes without a file", function()
    local history = histories.open "/nonexistent/history"
    assert.is_true(history:add "x")
  end)
end)
