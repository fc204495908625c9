local errors = require "curia.errors"
local helper = require "spec.helper"
local task = require "curia.task"
local user_code = require "curia.engine.user_code"

describe("code of users", function()
  it("gives its value, and its second value as an error", function()
    assert.same({ 3 }, { user_code.call("sum", function(a, b) return a + b end, 1, 2) })
    local _, err = user_code.call("sum", function() return nil, "no numbers" end)
    assert.same({ "script", "sum: no numbers" }, { err.kind, err.message })
    local own = errors.new("validation", "x")
    assert.equal(own, select(2, user_code.call("sum", function() return nil, own end)))
  end)

  it("that raises gives an error with its name, place and traceback", function()
    local value, err = user_code.call("sum", function() error "no numbers" end)
    assert.is_nil(value)
    assert.matches("^sum: .*user_code_spec.lua:%d+: no numbers$", err.message)
    assert.matches("user_code_spec.lua", err.traceback)
    assert.equal("script", err.kind)
  end)

  it("may raise error values, which get a traceback", function()
    local own = errors.new("validation", "x")
    local _, err = user_code.call("sum", error, own)
    assert.equal(own, err)
    assert.is_string(err.traceback)
  end)

  it("may raise anything", function()
    for _, value in ipairs { 42, true, {}, setmetatable({}, { __tostring = function() error "no" end }) } do
      local _, err = user_code.call("sum", error, value)
      assert.is_true(errors.is(err))
    end
    assert.equal("script", select(2, user_code.call("sum", error)).kind)
  end)

  it("may run out of memory, which no handler of errors sees", function()
    local _, err = user_code.call("sum", error, "not enough memory", 0)
    assert.same({ "script", "sum: not enough memory", "memory_limit" }, { err.kind, err.message, err.code })
  end)

  it("tells the difference between raising and returning", function()
    assert.same({ true, nil, "why" }, { user_code.try("x", function() return nil, "why" end) })
    local ok, err = user_code.try("x", error, "why")
    assert.is_false(ok)
    assert.equal("script", err.kind)
  end)

  it("cannot keep its task from being cancelled", function()
    helper.virtual(function()
      local reached = false
      local t = task.spawn(function()
        user_code.call("stubborn", function()
          pcall(task.sleep, 1000)
          error "something else"
        end)
        reached = true
      end)
      task.sleep(1)
      t:cancel "enough"
      local _, err = t:await()
      assert.same({ "cancelled", "enough" }, { err.kind, err.message })
      assert.is_false(reached)
    end)
  end)

  it("gives errors of another kind where asked", function()
    assert.equal("invalid_output", user_code.error_of("x", "why", "invalid_output").kind)
    local own = errors.new("auth", "x")
    assert.equal(own, user_code.error_of("x", own, "invalid_output"))
  end)
end)
