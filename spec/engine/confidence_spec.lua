local calibration = require "curia.calibration"
local curia = require "curia"
local helper = require "spec.helper"
local T = require "spec.engine.support"

local function measured(confidence, fields, answer)
  T.script(answer or "Paris")
  fields = fields or {}
  fields.confidence = confidence
  local result, err = T.ask { ids = { "a" }, members = { a = fields } }
  return result and result.rounds[1].results.a, err
end

describe("the confidence of a member", function()
  it("is none, and costs no field, where nobody asked for it", function()
    local result = measured(nil)
    assert.is_nil(result.confidence)
    assert.is_nil(result.metadata)
    assert.is_nil(measured(false).confidence)
  end)

  it("comes from a function of the response", function()
    local seen
    local result = measured(function(response, ctx, member, probe)
      seen = { response.content, ctx.round.name, member.id, type(probe.samples) }
      return 0.25
    end)
    assert.same({ "Paris", "independent_analysis", "a", "function" }, seen)
    assert.equal(0.25, result.confidence)
  end)

  it("comes from a registered function, and from a strategy of the user's own", function()
    curia.register("confidence", "flat", function() return 0.5 end)
    assert.equal(0.5, measured("flat").confidence)
    assert.equal(0.5, measured({ strategy = "flat" }).confidence)
    curia.unregister("confidence", "flat")
    local own = {
      options = { factor = { type = "number", doc = "a factor" } },
      prepare = function(request) request.temperature = 0.3 end,
      read = function(response)
        local said = response.content:match "!(%d)$"
        response.content = response.content:gsub("!%d$", "")
        return tonumber(said) / 10
      end,
    }
    local result = measured({ strategy = own }, nil, function(request) return "at " .. request.temperature .. "!7" end)
    assert.same({ "at 0.3", 0.7 }, { result.response.content, result.confidence })
    own.measure = function(_, _, _, probe) return probe:samples(1)[1].content == "x" and 1 or 0 end
    assert.equal(1, measured({ strategy = own }, nil, "x!7").confidence)
    own.measure = function(_, _, _, _, options) return options.factor / 10 end
    assert.equal(0.2, measured({ strategy = own, factor = 2 }, nil, "x!7").confidence)
  end)

  it("comes from a strategy in a module, by a registered name", function()
    package.loaded["spec.strategies"] = { tenth = { read = function() return 0.1 end } }
    curia.register("confidence", "tenth", { module = "spec.strategies", name = "tenth" })
    assert.equal(0.1, measured({ strategy = "tenth" }).confidence)
    curia.unregister("confidence", "tenth")
    package.loaded["spec.strategies"] = nil
  end)

  it("calls options that are registered functions", function()
    curia.register("function", "first_word", function(response) return response.content:match "%a+" end)
    local result = measured({ strategy = "consistency", samples = 2.0, extract = "first_word" }, nil,
      function() return "Paris " .. math.random() end)
    curia.unregister("function", "first_word")
    assert.equal(1, result.confidence)
    assert.equal(3, result.attempts)
  end)

  it("is never made up: what is no number from 0 to 1 gives none, and a note", function()
    for _, value in ipairs { 1.5, -0.1, 0 / 0, math.huge, "0.5", true, {} } do
      local result = measured(function() return value end)
      assert.equal("ok", result.status)
      assert.is_nil(result.confidence)
      assert.matches("no number from 0 to 1", result.metadata.confidence_note)
    end
    assert.is_nil(measured(function() end).metadata)
    assert.equal("because", measured(function() return nil, "because" end).metadata.confidence_note)
  end)

  it("does not cost the answer where its function raises", function()
    T.script "Paris"
    local events, run = T.events(T.council { ids = { "a" }, confidence = function() error "broken" end })
    local result = run:result()
    assert.equal("ok", result.status)
    assert.matches("broken", result.rounds[1].results.a.metadata.confidence_note)
    local logged = T.of_type(events, "log")
    assert.equal("warn", logged[1].level)
    assert.matches("confidence of member a", logged[1].text)
  end)

  it("does not cost the answer where a strategy's other functions raise", function()
    local own = { prepare = function() error "unprepared" end, read = function() error "unread" end }
    local result = measured { strategy = own }
    assert.equal("ok", result.status)
    assert.matches("unread", result.metadata.confidence_note)
  end)

  it("is the council's for members that ask a model, unless they say otherwise", function()
    T.script "Paris\nConfidence: 80%"
    local result = T.ask { ids = { "a", "b", "c", "d" }, confidence = "self_report", chair = true, members = {
      b = { confidence = function() return 0.1 end }, c = { confidence = false },
      d = { run = function() return "plain\nConfidence: 90%" end },
    } }
    local results = result.rounds[1].results
    assert.same({ 0.8, 0.1 }, { results.a.confidence, results.b.confidence })
    assert.is_nil(results.c.confidence)
    assert.is_nil(results.d.confidence)
    assert.is_nil(result.rounds[2].results.chair.confidence)
    T.script "Paris\nConfidence: 80%"
    result = T.ask { chair = { confidence = "self_report" } }
    assert.equal(0.8, result.rounds[2].results.chair.confidence)
    assert.equal("Paris", result.final.content)
  end)

  it("of a member in plain Lua comes from a function", function()
    local result = T.ask { ids = { "a" }, members = { a = {
      run = function() return { content = "x", sure = 0.6 } end,
      confidence = function(response, _, _, probe) return probe == nil and response.sure end,
    } } }
    assert.equal(0.6, result.rounds[1].results.a.confidence)
  end)

  it("is not measured for asks that a strategy makes itself", function()
    local depth = 0
    local result = measured(function(_, ctx)
      depth = depth + 1
      local other = ctx:ask("a", "Are you sure?")
      return other.confidence == nil and 0.5
    end)
    assert.equal(1, depth)
    assert.equal(0.5, result.confidence)
  end)

  it("never reaches the prompts of others", function()
    local heard = {}
    T.script(function(request)
      heard[#heard + 1] = request.messages[#request.messages].content:gsub("Finish with.*$", "")
      return request.member .. " says Paris\nConfidence: 87%"
    end)
    T.ask { ids = { "a", "b" }, confidence = "self_report", chair = true,
      rounds = { { type = "independent_analysis" }, { type = "peer_review" }, { type = "critique" } } }
    assert.is_true(#heard > 6)
    for _, text in ipairs(heard) do
      assert.is_nil(text:find("87", 1, true))
      assert.is_nil(text:lower():find("confidence", 1, true))
    end
  end)
end)

describe("a turn that is cut short while its confidence is measured", function()
  local slow = { strategy = "consistency", samples = 2 }

  -- The answer comes at once, samples after an hour.
  local function script()
    local n = 0
    T.script(function()
      n = n + 1
      return n == 1 and "Paris" or { content = "Paris", delay_ms = 3600000 }
    end)
  end

  it("keeps its answer", function()
    for _, fields in ipairs { { deadline_ms = 1000, confidence = slow }, { confidence = slow } } do
      helper.virtual(function()
        script()
        local took, result = T.timed(T.ask, { ids = { "a" }, members = { a = fields },
          rounds = { { type = "independent_analysis", timeout_ms = not fields.deadline_ms and 1000 or nil } } })
        assert.equal(1000, took)
        local member = result.rounds[1].results.a
        assert.same({ "ok", "Paris", 3 }, { member.status, member.response.content, member.attempts })
        assert.is_nil(member.confidence)
        assert.is_string(member.metadata.confidence_note)
        assert.equal("ok", result.status)
      end)
    end
  end)

  it("ends at once with its run", function()
    helper.virtual(function()
      script()
      local run = curia.start(T.council { ids = { "a" }, members = { a = { confidence = slow } } }, "Why?")
      curia.task.sleep(500)
      run:cancel "enough"
      local took, result, err = T.timed(run.await, run)
      assert.equal(0, took)
      assert.equal("cancelled", err.kind)
      assert.equal("ok", result.rounds[1].results.a.status)
      assert.is_nil(next(run.attempts))
    end)
  end)
end)

describe("calibration in a run", function()
  before_each(function() calibration.forget() end)
  after_each(function() calibration.forget() end)

  it("maps the number once there are outcomes, and keeps the raw one", function()
    local fields = { strategy = function() return 0.9 end, calibrate = true }
    local result = measured(fields)
    assert.same({ 0.9, 0.9 }, { result.confidence, result.metadata.raw_confidence })
    for i = 1, 20 do curia.calibration.record(result, i <= 10) end
    result = measured(fields)
    assert.same({ 0.5, 0.9 }, { result.confidence, result.metadata.raw_confidence })
    curia.calibration.record(result, true)
    assert.is_true(measured(fields).confidence > 0.5)
  end)

  it("says so where outcomes cannot be read", function()
    curia.config { reliability = { backend = "sqlite", store = "sqlite:/no/such/folder/a.db" }, log = function() end }
    local result = measured { strategy = function() return 0.9 end, calibrate = true }
    curia.config { reliability = false, log = "warn" }
    assert.same({ 0.9, 0.9 }, { result.confidence, result.metadata.raw_confidence })
    assert.matches("^not calibrated: .*unable to open", result.metadata.confidence_note)
  end)

  it("takes a curve of the user's own", function()
    local raw = function() return 0.9 end
    assert.equal(0.45, measured({ strategy = raw, calibrate = function(number) return number / 2 end }).confidence)
    local result = measured { strategy = raw, calibrate = function() return 7 end }
    assert.is_nil(result.confidence)
    assert.equal(0.9, result.metadata.raw_confidence)
    result = measured { strategy = raw, calibrate = function() error "broken" end }
    assert.matches("broken", result.metadata.confidence_note)
  end)
end)
