local curia = require "curia"
local events = require "curia.engine.events"
local helper = require "spec.helper"
local random = require "curia.engine.random"
local task = require "curia.task"
local T = require "spec.engine.support"

-- Streams the alphabet letter by letter, every 10 ms.
local LETTERS = {}
for i = 1, 26 do LETTERS[i] = string.char(96 + i) end
local alphabet = { stream = LETTERS, chunk_delay_ms = 10, delay_ms = 5 }
local streaming = { a = { stream = true }, b = { stream = true }, c = { stream = true } }

local function take_all(subscription)
  local seen = {}
  for event in subscription.next, subscription do seen[#seen + 1] = event end
  return seen
end

describe("the event log", function()
  local log

  before_each(function() log = events.new("r", nil) end)

  it("numbers its events from 1", function()
    log:emit("run_started", { council = "c" })
    log:tell("round_started", { name = "first", idx = 1 })
    log:tell("member_completed", { name = "first", idx = 1, iteration = 2 }, "a", "x")
    log:tell("member_started", { name = "first", idx = 1 }, "plain Lua")
    log:close()
    local all = take_all(log:subscribe {})
    assert.equal(4, #all)
    for i, event in ipairs(all) do
      assert.equal(i, event.seq)
      assert.equal(1, event.v)
      assert.equal("r", event.run_id)
      assert.equal("integer", math.type(event.at))
    end
    assert.same({ "first", 1, 2, "a", "x" }, { all[3].round, all[3].idx, all[3].iteration, all[3].member, all[3].result })
    assert.is_nil(all[4].model)
  end)

  it("takes no event once it is closed, and ends its readers", function()
    local early = log:subscribe {}
    log:emit("one", {})
    log:close()
    log:emit("two", {})
    log:tell("three", { name = "r", idx = 1 })
    log:token { text = "x" }
    assert.equal(1, log.count)
    assert.equal(1, #take_all(early))
    assert.equal(1, #take_all(log:subscribe {}))
  end)

  it("replays from any number", function()
    for i = 1, 5 do log:emit("e" .. i, {}) end
    log:close()
    for from = -1, 7 do
      local got = take_all(log:subscribe { from_seq = from })
      assert.equal(math.min(5, math.max(0, 6 - math.max(1, from))), #got)
      if got[1] then assert.equal(math.max(1, from), got[1].seq) end
    end
  end)

  it("skips what comes before the wanted number, also what is still to come", function()
    local later = log:subscribe { from_seq = 3 }
    for i = 1, 4 do log:emit("e" .. i, {}) end
    log:close()
    local got = take_all(later)
    assert.same({ 3, 4 }, { got[1].seq, got[2].seq })
  end)

  it("gives tokens to those that watch them only", function()
    local with, without = log:subscribe {}, log:subscribe { tokens = false }
    assert.equal(1, log.token_watchers)
    log:emit("one", {})
    log:token { member = "a", idx = 1, kind = "content", text = "x", index = 0, attempt = 1 }
    log:close()
    assert.equal(2, #take_all(with))
    assert.equal(1, #take_all(without))
    assert.equal(0, log.token_watchers)
  end)

  it("tells who watches tokens", function()
    local told = {}
    log.on_watch = function(on) told[#told + 1] = on end
    local one, two = log:subscribe {}, log:subscribe {}
    one:stop()
    one:stop()
    two:stop()
    assert.same({ true, true, true, false }, told)
  end)

  local function token(fields)
    local made = { member = "a", idx = 1, kind = "content", text = "xy", index = 0, attempt = 1 }
    for name, value in pairs(fields) do made[name] = value end
    return made
  end

  it("merges the tokens that a slow reader has not taken, and counts them", function()
    local slow, fast = log:subscribe {}, log:subscribe {}
    local got = {}
    for i = 0, 9 do
      log:token(token { index = i * 2 })
      got[#got + 1] = fast:next()
    end
    log:close()
    local merged = take_all(slow)
    assert.equal(1, #merged)
    assert.equal(("xy"):rep(10), merged[1].text)
    assert.equal(0, merged[1].index)
    assert.equal(9, slow.merged)
    assert.equal(10, #got)
    for _, event in ipairs(got) do assert.equal("xy", event.text) end
  end)

  it("merges only what goes on where the last piece ends", function()
    for _, other in ipairs { { member = "b" }, { idx = 2 }, { kind = "reasoning" }, { attempt = 2 }, { iteration = 2 },
      { ask = 2 }, { index = 3 } } do
      local reader = log:subscribe {}
      other.index = other.index or 2
      log:token(token {})
      log:token(token(other))
      assert.equal("xy", reader:next().text)
      assert.equal("xy", reader:next().text)
      reader:stop()
    end
  end)

  it("joins merged pieces wherever they stand in the queue", function()
    local reader = log:subscribe {}
    log:token(token { text = "1", index = 0 })
    log:token(token { text = "2", index = 1 })
    log:token(token { text = "3", index = 0, member = "b" })
    log:token(token { text = "4", index = 1, member = "b" })
    log:emit("one", {})
    log:token(token { text = "5", index = 2 })
    log:close()
    local texts = {}
    for i, event in ipairs(take_all(reader)) do texts[i] = event.text or event.type end
    assert.same({ "12", "34", "one", "5" }, texts)
  end)

  it("keeps the reason of the end on the merged piece", function()
    local reader = log:subscribe {}
    log:token(token {})
    log:token(token { text = "", index = 2, finish_reason = "stop" })
    local event = reader:next()
    assert.same({ "xy", "stop" }, { event.text, event.finish_reason })
  end)

  it("takes a time that grows with the text only, however far a reader is behind", function()
    local reader = log:subscribe {}
    for i = 0, 99999 do log:token(token { index = i * 2 }) end
    assert.equal(200000, #reader:next().text)
  end)
end)

describe("a subscription", function()
  it("gets 1..n without gaps, from wherever and whenever it begins", function()
    local numbers = random.new(20)
    helper.virtual(function()
      T.script(alphabet)
      local run = curia.start(T.council { chair = true, members = streaming, rounds = {
        { type = "independent_analysis" }, { type = "peer_review" } } }, "Why?")
      local seen = {}
      for i = 1, 60 do
        task.sleep(numbers:integer(20))
        local from = numbers:integer(12)
        local own = { from = from, tokens = {} }
        seen[i] = own
        run:subscribe(function(event)
          if event.seq then own[#own + 1] = event.seq
          else own.tokens[#own.tokens + 1] = event end
        end, { from_seq = from })
      end
      run:await()
      task.sleep(0)
      local last = run.log.count
      for _, own in ipairs(seen) do
        assert.equal(last - own.from + 1, #own)
        for i, seq in ipairs(own) do assert.equal(own.from + i - 1, seq) end
      end
    end)
  end)

  -- The text of each unfinished answer as the tokens tell it, checked for gaps and repetitions.
  local function listener()
    local self = { answers = {}, first = {} }
    return self, function(event)
      if event.type ~= "member_token" then return end
      local name = event.idx .. event.member
      local sofar = self.answers[name] or ""
      assert.equal(#sofar, event.index, name)
      self.first[name] = self.first[name] or event
      self.answers[name] = sofar .. event.text
    end
  end

  it("that comes late gets each unfinished answer as one piece, then what follows", function()
    helper.virtual(function()
      T.answers { a = alphabet, b = { stream = LETTERS, chunk_delay_ms = 20 }, c = "c is not streamed" }
      local run = curia.start(T.council { members = { a = { stream = true }, b = { stream = true } } }, "Why?")
      local late = {}
      for i = 1, 40 do
        local own, hear = listener()
        task.sleep(7)
        run:subscribe(hear)
        late[i] = own
      end
      run:await()
      task.sleep(0)
      assert.equal(("abcdefghijklmnopqrstuvwxyz"), late[1].answers["1a"])
      for i, own in ipairs(late) do
        assert.equal("abcdefghijklmnopqrstuvwxyz", own.answers["1b"], i)
        assert.is_truthy(own.answers["1a"] == nil or own.answers["1a"] == "abcdefghijklmnopqrstuvwxyz")
        assert.is_nil(own.answers["1c"])
      end
      assert.is_true(#late[20].first["1b"].text > 1)
      assert.is_true(late[20].first["1b"].after >= 5)
    end)
  end)

  it("is not given what was said while nobody listened twice", function()
    helper.virtual(function()
      T.answers { a = alphabet }
      local run = curia.start(T.council { ids = { "a" }, members = { a = { stream = true } } }, "Why?")
      for _ = 1, 5 do
        local own, hear = listener()
        local subscription = run:subscribe(hear)
        task.sleep(33)
        subscription:stop()
        task.sleep(10)
        assert.matches("^abc", own.answers["1a"])
      end
      run:await()
    end)
  end)

  it("hears reasoning and content apart, each with its own offsets", function()
    helper.virtual(function()
      T.answers { a = { reasoning = "hm", stream = { "x", "y" } } }
      local kinds = {}
      curia.run(T.council { ids = { "a" }, members = { a = { stream = true } } }, "Why?", { subscribe = function(event)
        if event.type == "member_token" then kinds[#kinds + 1] = event.kind .. event.index .. event.text end
      end })
      assert.same({ "reasoning0hm", "content0xy", "content2" }, kinds) -- the last one tells the reason of the end
    end)
  end)

  it("hears why an answer ended on its last piece", function()
    helper.virtual(function()
      T.answers { a = { stream = { "x", "y" }, chunk_delay_ms = 5, finish_reason = "length" } }
      local last
      curia.run(T.council { ids = { "a" }, members = { a = { stream = true } } }, "Why?", { subscribe = function(event)
        if event.type == "member_token" then last = event end
      end })
      assert.equal("length", last.finish_reason)
      assert.equal(2, last.index + #last.text)
    end)
  end)

  it("may wait in its function without slowing the run", function()
    helper.virtual(function()
      T.script(alphabet)
      local texts = {}
      local run = curia.start(T.council { ids = { "a" }, members = { a = { stream = true } } }, "Why?")
      local subscription = run:subscribe(function(event)
        task.sleep(100)
        texts[#texts + 1] = event.text
      end)
      local ms = T.timed(run.await, run)
      assert.equal(255, ms)
      task.sleep(10000)
      local merged = subscription.merged
      assert.equal("abcdefghijklmnopqrstuvwxyz", table.concat(texts))
      assert.is_true(merged > 10)
    end)
  end)

  it("can be stopped, also in its own function", function()
    T.script "yes"
    local seen = {}
    local run = curia.start(T.council {}, "Why?")
    local subscription
    subscription = run:subscribe(function(event)
      seen[#seen + 1] = event.type
      subscription:stop()
    end)
    run:await()
    assert.same({ "run_started" }, seen)
    subscription:stop()
  end)

  it("whose function fails is reported and detached; the others go on", function()
    T.script "yes"
    local count = 0
    local lines = T.logged(function()
      local run = curia.start(T.council {}, "Why?", { subscribe = function() error "deaf" end })
      run:subscribe(function() count = count + 1 end)
      assert.equal("ok", run:await().status)
      task.sleep(0)
    end)
    assert.equal(1, #lines)
    assert.matches("subscriber of run .* was detached: .*events_spec.lua:%d+: deaf.*traceback", lines[1])
    assert.equal(10, count)
  end)

  it("attached at the start hears the first event", function()
    T.script "yes"
    local first
    curia.run(T.council {}, "Why?", { subscribe = function(event) first = first or event end })
    assert.same({ "run_started", 1, "spec" }, { first.type, first.seq, first.council })
    assert.same({ question = "Why?" }, first.input)
  end)

  it("knows its options", function()
    T.script "yes"
    local run = curia.start(T.council {}, "Why?")
    assert.has_error(function() run:subscribe(print, { from = 1 }) end)
    assert.has_error(function() run:subscribe("print") end, "bad argument #1 to 'subscribe' (function expected)")
    assert.has_error(function() run:events { seq = 1 } end)
    run:await()
  end)
end)

describe("run:events", function()
  it("gives all events, also after the end", function()
    T.script "yes"
    local run = curia.start(T.council {}, "Why?")
    run:await()
    local count = 0
    for event in run:events() do
      count = count + 1
      assert.equal(count, event.seq)
    end
    assert.equal(10, count)
    for event in run:events { from_seq = 10 } do assert.equal("run_completed", event.type) end
  end)

  it("with subscribe = true gives the tokens that came before anybody read", function()
    helper.virtual(function()
      T.answers { a = alphabet }
      local run = curia.start(T.council { ids = { "a" }, members = { a = { stream = true } } }, "Why?", { subscribe = true })
      run:await()
      local text = ""
      for event in run:events() do text = text .. (event.text or "") end
      assert.equal("abcdefghijklmnopqrstuvwxyz", text)
      text = ""
      for event in run:events() do text = text .. (event.text or "") end
      assert.equal("", text)
    end)
  end)

  it("ends its subscription when the loop is left", function()
    helper.virtual(function()
      T.script(alphabet)
      local run = curia.start(T.council { members = streaming }, "Why?")
      for event in run:events() do
        if event.type == "member_token" then break end
      end
      assert.equal(0, run.log.token_watchers)
      assert.same({}, run.log.subscriptions)
      for _ in run:events() do break end -- luacheck: ignore 512
      pcall(function() for _ in run:events() do error "x" end end)
      assert.same({}, run.log.subscriptions)
      run:await()
    end)
  end)
end)

describe("the order of events", function()
  it("is rounds strictly after each other, one terminal event, last", function()
    helper.virtual(function()
      T.script(function(request) return { content = "yes", delay_ms = ({ a = 30, b = 20, c = 10 })[request.member] or 0 } end)
      local names = T.names((T.events(T.council { chair = true, rounds = {
        { type = "independent_analysis" }, { type = "critique" } } })))
      assert.same({
        "run_started",
        "round_started", "member_started:a", "member_started:b", "member_started:c",
        "member_completed:c", "member_completed:b", "member_completed:a", "round_completed",
        "round_started", "member_started:a", "member_started:b", "member_started:c",
        "member_completed:c", "member_completed:b", "member_completed:a", "round_completed",
        "round_started", "member_started:chair", "member_completed:chair", "round_completed",
        "run_completed" }, names)
    end)
  end)

  it("comes with round, idx, member and result where they belong", function()
    T.script "yes"
    for _, event in ipairs((T.events(T.council {}))) do
      local of_round = event.type:find "^round" or event.type:find "^member"
      assert.equal(of_round and "independent_analysis" or nil, event.round)
      assert.equal(of_round and 1 or nil, event.idx)
      if event.type == "member_started" then assert.equal("m", event.model) end
      if event.type == "member_completed" then assert.equal(event.member, event.result.member) end
      if event.type == "round_completed" then assert.equal("independent_analysis", event.result.name) end
      if event.type == "run_completed" then assert.equal("ok", event.result.status) end
    end
  end)
end)
