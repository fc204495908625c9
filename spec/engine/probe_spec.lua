local helper = require "spec.helper"
local T = require "spec.engine.support"

-- Asks member `a`, whose confidence is measured by `measure(probe, response)`.
local function probed(measure, answer, fields, opts)
  T.script(answer)
  fields = fields or {}
  fields.confidence = function(response, _, _, probe) return measure(probe, response) end
  local result, err = T.ask({ ids = { "a" }, members = { a = fields } }, nil, opts)
  return result and result.rounds[1].results.a, result, err
end

describe("samples", function()
  it("ask the same question again, at a temperature and with seeds of their own, unstreamed", function()
    local heard = {}
    local texts
    probed(function(probe)
      texts = {}
      for i, sample in ipairs(probe:samples(3, 0.7)) do texts[i] = sample.content end
    end, function(request)
      heard[#heard + 1] = request
      return "answer " .. #heard
    end, { system = "S", seed = 10, stream = true, temperature = 0, max_tokens = 5 })
    table.sort(texts)
    assert.same({ "answer 2", "answer 3", "answer 4" }, texts)
    assert.same({ true, 10, 0 }, { heard[1].stream, heard[1].seed, heard[1].temperature })
    for i = 2, 4 do
      assert.same({ false, 9 + i, 0.7, 5 }, { heard[i].stream, heard[i].seed, heard[i].temperature, heard[i].max_tokens })
      assert.same(heard[1].messages, heard[i].messages)
    end
  end)

  it("have the temperature 1 of their own accord, and no seed where the member has none", function()
    local heard
    probed(function(probe) probe:samples(1) end, function(request) heard = request return "x" end)
    assert.equal(1, heard.temperature)
    assert.is_nil(heard.seed)
  end)

  it("run at the same time", function()
    helper.virtual(function()
      local result
      local took = T.timed(function()
        result = probed(function(probe) return #probe:samples(10) / 10 end, { content = "x", delay_ms = 1000 })
      end)
      assert.equal(2000, took)
      assert.equal(1, result.confidence)
    end)
  end)

  it("are judged as the answer is, and count as attempts of the member", function()
    local n = 0
    local result = probed(function(probe) return #probe:samples(4) / 4 end, function()
      n = n + 1
      return n % 2 == 1 and "good" or "bad"
    end, { repair = 0, validate = function(text) return text == "good" or nil, "bad" end })
    assert.equal(0.5, result.confidence)
    assert.is_true(result.attempts >= 5)
  end)

  it("are retried as any request, and a failing one costs only itself", function()
    helper.virtual(function()
      local n = 0
      local result, whole = probed(function(probe) return #probe:samples(2) / 2 end, function()
        n = n + 1
        if n == 2 then return { error = 503 } end
        if n == 3 then return { error = 400 } end
        return "x"
      end)
      assert.equal(0.5, result.confidence)
      assert.equal(4, result.attempts)
      assert.equal("ok", whole.status)
    end)
  end)

  it("leave no token events, and a line in the log for each that failed", function()
    local n = 0
    T.script(function()
      n = n + 1
      return n == 1 and "the answer" or n == 2 and { error = 400 } or "sample"
    end)
    local run = assert(require("curia").start(T.council { ids = { "a" }, members = { a = { stream = true,
      confidence = function(_, _, _, probe) return #probe:samples(2) / 2 end } } }, "Why?", { subscribe = true }))
    local tokens, logged = {}, {}
    for event in run:events() do
      if event.type == "member_token" then tokens[#tokens + 1] = event.text end
      if event.type == "log" then logged[#logged + 1] = event.text end
    end
    assert.equal("the answer", table.concat(tokens))
    assert.equal(1, #logged)
    assert.matches("^a sample of member a failed: ", logged[1])
  end)
end)

describe("a question of a strategy", function()
  it("goes to the same member, without its role", function()
    local heard
    local result = probed(function(probe)
      local response = assert(probe:ask "Are you sure?")
      return response.content == "yes" and 1 or 0
    end, function(request)
      heard = request
      return "yes"
    end, { system = "S", temperature = 0.9, stop = "END", max_tokens = 3 })
    assert.same({ { role = "user", content = "Are you sure?" } }, heard.messages)
    assert.same({ "m", "a", 0 }, { heard.model, heard.member, heard.temperature })
    assert.is_nil(heard.stop)
    assert.equal(1, result.confidence)
    assert.equal(2, result.attempts)
  end)

  it("gives an error where it fails", function()
    local n, err = 0, nil
    probed(function(probe) err = select(2, probe:ask("?")) end, function()
      n = n + 1
      return n == 1 and "x" or { error = 400 }
    end)
    assert.equal("permanent", err.kind)
  end)
end)
