local errors = require "curia.errors"
local regex = require "curia.core.regex"

describe("a regular expression", function()
  it("says whether it matches anywhere, and what that took", function()
    local found, steps = regex.compile("^b+$"):find "bbb"
    assert.is_true(found)
    assert.equal("integer", math.type(steps))
    assert.is_false((regex.compile("^b+$"):find "abbb"))
    assert.is_true((regex.compile("\0"):find "a\0"))
  end)

  it("that cannot be read is an error with the place", function()
    local re, err = regex.compile "a(b"
    assert.is_nil(re)
    assert.is_true(errors.is(err))
    assert.equal("validation", err.kind)
    assert.matches("at byte 4$", err.message)
    assert.matches("too long", select(2, regex.compile(("a"):rep(9000))).message)
  end)

  it("that would take too long is an error in bounded time", function()
    local began = os.clock()
    local found, err = regex.compile("(a+)+$"):find(("a"):rep(1000) .. "!")
    assert.is_nil(found)
    assert.same({ "validation", "over the work limit" }, { err.kind, err.message })
    assert.is_true(os.clock() - began < 20)
  end)

  it("takes UTF-8 of limited size only", function()
    assert.equal("malformed data", select(2, regex.compile("a"):find "\xFF").message)
    assert.equal("over the size limit", select(2, regex.compile("a"):find(("a"):rep(1024 * 1024 + 1))).message)
  end)

  it("raises where it is not given a text", function()
    assert.error_matches(function() regex.compile(nil) end, "bad argument #1")
    assert.error_matches(function() regex.compile("a"):find {} end, "bad argument #1 to 'find'")
    assert.error_matches(function() regex.compile("a").find({}, "a") end, "curia.regex expected")
  end)
end)
