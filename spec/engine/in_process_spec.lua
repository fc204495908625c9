local helper = require "spec.helper"
local in_process = require "curia.engine.in_process"
local task = require "curia.task"
local T = require "spec.engine.support"

local LIMITS = { first_byte_timeout_ms = 100, silence_timeout_ms = 50, total_timeout_ms = 200 }

local function call(fn)
  local heard = {}
  local attempt = { on_delta = function(_, kind, text) heard[#heard + 1] = kind .. text end }
  return helper.virtual(function()
    local ms, response, err, code, text = T.timed(in_process.call, attempt, { call = fn }, {}, {}, LIMITS)
    return { ms = ms, response = response, err = err, code = code, text = text, heard = heard }
  end)
end

local function say(count, every_ms)
  return function(_, _, on_delta)
    for i = 1, count do
      task.sleep(every_ms)
      on_delta("content", tostring(i))
    end
    return { content = "done" }
  end
end

describe("a provider in the process", function()
  it("gives response, error and pieces", function()
    local got = call(say(3, 10))
    assert.same({ 30, "done", { "content1", "content2", "content3" } }, { got.ms, got.response.content, got.heard })
    assert.equal("why", call(function() return nil, "why" end).err)
  end)

  it("is ended when its first byte does not come", function()
    local got = call(function() task.sleep(1000) end)
    assert.same({ 100, "EFIRSTBYTE", "no byte of the answer within 100 ms" }, { got.ms, got.code, got.text })
  end)

  it("is ended when it falls silent", function()
    local got = call(say(3, 60))
    assert.same({ 110, "ESILENCE", 1 }, { got.ms, got.code, #got.heard })
  end)

  it("is ended when it takes too long in all", function()
    local got = call(say(30, 40))
    assert.same({ 200, "ETOTAL" }, { got.ms, got.code })
  end)

  it("that raises gives the error with its traceback", function()
    local got = call(function() error "broken" end)
    assert.equal("script", got.err.kind)
    assert.matches("in_process_spec.lua:%d+: broken", got.err.message)
  end)
end)
