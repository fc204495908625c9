local clock = require "curia.core.clock"
local curia = require "curia"
local errors = require "curia.errors"
local helper = require "spec.helper"
local limiter = require "curia.engine.limiter"
local random = require "curia.engine.random"
local T = require "spec.engine.support"
local task = require "curia.task"

local REQUEST = { messages = { { content = "12345678" } }, max_tokens = 8 }

local function run_of(group, number)
  return { group = group, number = number }
end

-- Comes in, stays for so long, tells what it heard.
local function visit(gate, run, ms, err, headers)
  local number, refused = gate:enter(run, REQUEST)
  if not number then return nil, refused end
  local guard <close> = gate
  task.sleep(ms)
  gate:heard(number, err, headers)
  return number
end

local function spawn_visits(gate, count, ms, err)
  local tasks = {}
  for i = 1, count do tasks[i] = task.spawn(visit, gate, run_of(nil, i), ms, err) end
  return tasks
end

local function await_all(tasks)
  for _, one in ipairs(tasks) do one:await() end
end

local LIMITED = errors.new("rate_limited", "429")

describe("a gate", function()
  it("holds nobody back below 64, and twice as many with each window while more would come", function()
    helper.virtual(function()
      local gate = limiter.new "p"
      local tasks = spawn_visits(gate, 1000, 5000)
      local trace = {}
      for i = 1, 5 do
        task.sleep(i == 1 and 1 or 200)
        trace[i] = gate.live
      end
      assert.same({ 64, 128, 256, 512, 1000 }, trace)
      await_all(tasks)
      assert.equal(0, gate.live)
    end)
  end)

  it("grows by answers too: a window is as many of them as the limit", function()
    helper.virtual(function()
      local gate = limiter.new "p"
      await_all(spawn_visits(gate, 64, 10))
      assert.is_true(gate.limit > 64 and gate.limit <= 128)
    end)
  end)

  it("halves once for a window of refusals, then grows by one in each window: AIMD", function()
    helper.virtual(function()
      local gate = limiter.new "p"
      await_all(spawn_visits(gate, 64, 10, LIMITED))
      assert.equal(32, gate.limit)
      await_all(spawn_visits(gate, 32, 10))
      assert.is_true(gate.limit > 32 and gate.limit <= 33, gate.limit)
      await_all(spawn_visits(gate, 33, 10, LIMITED))
      assert.equal(16, gate.limit)
      for _ = 1, 10 do await_all(spawn_visits(gate, 16, 10, LIMITED)) end
      assert.equal(4, gate.limit)
      gate = limiter.new("p", { concurrency = 2 })
      visit(gate, run_of(), 10, LIMITED)
      assert.equal(2, gate.limit)
    end)
  end)

  it("learns nothing about more than was under way", function()
    helper.virtual(function()
      local gate, tasks = limiter.new "p", {}
      tasks[1] = task.spawn(visit, gate, run_of(), 10, LIMITED)
      for i = 2, 9 do tasks[i] = task.spawn(visit, gate, run_of(), 9) end
      for i = 10, 17 do tasks[i] = task.spawn(visit, gate, run_of(), 20) end
      tasks[1]:await()
      assert.equal(9, gate.limit)
      await_all(tasks)
    end)
  end)

  it("takes a spent allowance in a good answer for a refusal, but only where it is used", function()
    helper.virtual(function()
      local spent = { ["x-ratelimit-remaining-requests"] = "0" }
      local gate = limiter.new("p", nil, 10)
      for _ = 2, 6 do task.spawn(visit, gate, run_of(), 10) end
      task.sleep(0)
      visit(gate, run_of(), 1, nil, spent)
      assert.equal(5, gate.limit)
      gate = limiter.new "p"
      visit(gate, run_of(), 1, nil, spent)
      assert.equal(64, gate.limit)
    end)
  end)

  it("never lets in more than `concurrency`, whatever happens", function()
    helper.virtual(function()
      local gate, numbers, most, tasks = limiter.new("p", { concurrency = 5 }), random.new(11), 0, {}
      for i = 1, 300 do
        tasks[i] = task.spawn(function()
          task.sleep(numbers:integer(500))
          local number = gate:enter(run_of(tostring(numbers:integer(3)), i), REQUEST)
          local guard <close> = gate
          most = math.max(most, gate.live)
          task.sleep(numbers:integer(20))
          gate:heard(number, numbers:number() < 0.1 and LIMITED or nil)
        end)
      end
      for i = 1, 300, 7 do tasks[i]:cancel "changed his mind" end
      for _, one in ipairs(tasks) do one:await() end
      assert.is_true(most <= 5 and most > 1)
      assert.same({ 0, 0 }, { gate.live, gate.queue.count })
    end)
  end)

  it("is fair between groups, and lets the oldest run come first within one", function()
    helper.virtual(function()
      local gate, order, tasks = limiter.new("p", { concurrency = 1 }), {}, {}
      local function enter(group, run)
        tasks[#tasks + 1] = task.spawn(function()
          visit(gate, run_of(group, run), 10)
          order[#order + 1] = (group or "-") .. run
        end)
      end
      enter("hog", 1)
      task.sleep(1)
      for run = 9, 2, -1 do enter("hog", run) end
      enter("small", 20)
      enter(nil, 30)
      enter("small", 19)
      await_all(tasks)
      assert.equal("hog1 hog2 small19 -30 hog3 small20 hog4 hog5 hog6 hog7 hog8 hog9", table.concat(order, " "))
    end)
  end)

  it("paces calls and tokens by the minute", function()
    helper.virtual(function()
      local gate, began = limiter.new("p", { rpm = 60 }), clock.ms()
      await_all(spawn_visits(gate, 65, 1))
      assert.is_true(math.abs(clock.ms() - began - 5000) < 10)
      gate, began = limiter.new("p", { tpm = 600 }), clock.ms() -- ten tokens each
      await_all(spawn_visits(gate, 63, 1))
      assert.is_true(math.abs(clock.ms() - began - 3000) < 10)
    end)
  end)

  it("gives the place of those who stop waiting to the next", function()
    helper.virtual(function()
      local gate = limiter.new("p", { concurrency = 1, rpm = 1 })
      local first = task.spawn(visit, gate, run_of(nil, 1), 10)
      local second = task.spawn(visit, gate, run_of(nil, 2), 10)
      local third = task.spawn(visit, gate, run_of(nil, 3), 10)
      task.sleep(5)
      second:cancel "no more"
      assert.is_true(first:await())
      assert.is_false((second:await()))
      local began = clock.ms()
      assert.is_true(third:await())
      assert.is_true(clock.ms() - began <= 60010)
    end)
  end)
end)

describe("the limits of a provider", function()
  local function council(limits, answer)
    curia.config { providers = { test = { adapter = "scripted", script = answer, limits = limits } } }
    return T.council { ids = { "a", "b", "c", "d" } }
  end

  it("hold for all runs together; queued time counts for deadlines, never for silence", function()
    local four = council({ concurrency = 2 }, { content = "yes", delay_ms = 100 })
    helper.virtual(function()
      local took, result = T.timed(curia.run, four, "Why?")
      assert.same({ 200, "ok" }, { took, result.status })
      local runs = { assert(curia.start(four, "x")), assert(curia.start(four, "y")) }
      took = T.timed(function()
        for _, run in ipairs(runs) do run:await() end
      end)
      assert.equal(400, took)
      result = curia.run(four, "Why?", { member_timeout_ms = 150 })
      assert.same({ a = "ok", b = "ok", c = "timeout", d = "timeout" }, T.statuses(result))
    end)
    curia.config { providers = { test = { adapter = "scripted", script = { content = "yes", delay_ms = 100 },
      limits = { concurrency = 1 } } } }
    helper.virtual(function()
      local fields = { first_byte_timeout_ms = 110 }
      local result = T.ask { ids = { "a", "b", "c" }, members = { a = fields, b = fields, c = fields } }
      assert.equal("ok", result.status)
    end)
  end)
end)

describe("exhausted credit", function()
  local function answers(list)
    local asked = 0
    curia.config { providers = { test = { adapter = "scripted", script = function()
      asked = asked + 1
      return list[math.min(asked, #list)]
    end } } }
    return function() return asked end
  end

  it("cools the key for an hour, for all runs: nobody asks, and everybody hears the vendor's words", function()
    helper.virtual(function()
      local asked = answers { { error = { status = 402, message = "Your credit is used up." } }, "yes" }
      local result = T.ask { ids = { "a" } }
      assert.same({ "error", 1 }, { result.status, asked() })
      task.sleep(3500000)
      result = T.ask { ids = { "a", "b" } }
      local err = result.rounds[1].results.a.error
      assert.same({ "quota_exhausted", "Your credit is used up.", 1 }, { err.kind, err.reason, asked() })
      assert.matches("until %d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ: Your credit is used up%.", err.message)
      assert.is_true(err.retry_after_ms <= 100000 and err.retry_after_ms > 90000)
      task.sleep(100000)
      assert.equal("ok", T.ask({ ids = { "a" } }).status)
    end)
  end)

  it("is told to those who wait already", function()
    helper.virtual(function()
      local gate = limiter.new("p", { concurrency = 1 })
      local waiting = {}
      local first = task.spawn(visit, gate, run_of(nil, 1), 10, errors.new("quota_exhausted", "broke"))
      for i = 1, 3 do waiting[i] = task.spawn(visit, gate, run_of(nil, i + 1), 10000) end
      first:await()
      for i = 1, 3 do
        local _, number, err = waiting[i]:await()
        assert.same({ nil, "quota_exhausted" }, { number, err.kind })
      end
      assert.equal(0, gate.live)
    end)
  end)

  it("is over when the provider is configured anew, not when others are", function()
    helper.virtual(function()
      local asked = answers { { error = { status = 402 } } }
      T.ask { ids = { "a" } }
      curia.config { providers = { other = { adapter = "scripted", script = "yes" } } }
      T.ask { ids = { "a" } }
      assert.equal(1, asked())
      answers { "yes" }
      assert.equal("ok", T.ask({ ids = { "a" } }).status)
    end)
  end)

  it("does not keep members from their fallback", function()
    answers { { error = { status = 402 } } }
    curia.config { providers = { other = { adapter = "scripted", script = "from the other" } } }
    helper.virtual(function()
      for _ = 1, 2 do
        local result = T.ask { ids = { "a" }, members = { a = { fallback = { { provider = "other", model = "o" } } } } }
        local got = result.rounds[1].results.a
        assert.same({ "ok", "other", "from the other" }, { got.status, got.provider, got.response.content })
      end
      local budget = { calls = 1 }
      local result = T.ask({ ids = { "a" }, members = { a = { fallback = { { provider = "other", model = "o" } } } } }, "Why?",
        { budget = budget })
      assert.same({ "ok", 1 }, { result.status, result.rounds[1].results.a.attempts }) -- what is not sent costs nothing
    end)
  end)
end)
