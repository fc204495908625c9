local curia = require "curia"
local events = require "curia.engine.events"
local helper = require "spec.helper"
local namespaces = require "curia.engine.namespace"
local task = require "curia.task"
local topics = require "curia.engine.topics"
local T = require "spec.engine.support"

local slow = { content = "slow", delay_ms = 100 }

-- What comes on a topic: a list that grows, and the subscription.
local function heard(what)
  local seen = {}
  return seen, curia.subscribe(what, function(event) seen[#seen + 1] = event end)
end

local function types_of(seen, run)
  local types = {}
  for _, event in ipairs(seen) do
    if event.run_id == run.id then types[#types + 1] = event.type end
  end
  return types
end

local function assert_whole(seen, run)
  local expected = {}
  for event in run:events { tokens = false } do expected[event.seq] = event.type end
  assert.same(expected, types_of(seen, run))
end

describe("a topic", function()
  before_each(function() T.script(slow) end)

  it("all has every run of its namespace, those inside of others too", function()
    helper.virtual(function()
      local seen, subscription = heard { topic = "all", tokens = false }
      local inner = T.council { name = "inner" }
      local outer = curia.start(T.council { run = function(ctx) return ctx:run(inner, "i?").run_id end }, "o?")
      local elsewhere = curia.start(T.council {}, "e?", { namespace = "elsewhere" })
      outer:await()
      elsewhere:await()
      task.sleep(0)
      assert_whole(seen, outer)
      assert_whole(seen, assert(curia.find(outer:result().final.content)))
      assert.same({}, types_of(seen, elsewhere))
      subscription:stop()
    end)
  end)

  it("of a group has the runs of that group", function()
    helper.virtual(function()
      local seen, subscription = heard { topic = "group:g", tokens = false }
      local mine = curia.start(T.council {}, "1", { group = "g" })
      local other = curia.start(T.council {}, "2")
      local inner = T.council { name = "inner" }
      local outer = curia.start(T.council { run = function(ctx) return ctx:run(inner, "i?").run_id end }, "3", { group = "g" })
      for _, run in ipairs { mine, other, outer } do run:await() end
      task.sleep(0)
      assert_whole(seen, mine)
      assert_whole(seen, outer)
      assert_whole(seen, assert(curia.find(outer:result().final.content)))
      assert.same({}, types_of(seen, other))
      subscription:stop()
    end)
  end)

  it("that runs relay to has those runs, once each", function()
    helper.virtual(function()
      local seen, subscription = heard { topic = "orders", tokens = false }
      local one = curia.start(T.council {}, "1", { relay_topics = { "orders", "audit", "orders" } })
      local two = curia.start(T.council {}, "2", { relay_topics = { "orders" } })
      local other = curia.start(T.council {}, "3", { relay_topics = { "audit" } })
      for _, run in ipairs { one, two, other } do run:await() end
      task.sleep(0)
      assert_whole(seen, one)
      assert_whole(seen, two)
      assert.same({}, types_of(seen, other))
      subscription:stop()
    end)
  end)

  it("of Curia's own cannot be relayed to", function()
    for _, name in ipairs { "all", "run:x", "group:x" } do
      local run, err = curia.start(T.council {}, "1", { relay_topics = { name } })
      assert.is_nil(run)
      assert.same({ "validation", "conflict" }, { err.kind, err.code })
    end
    assert.equal("validation", select(2, curia.start(T.council {}, "1", { relay_topics = { "a/b" } })).kind)
    assert.equal("ok", curia.run(T.council {}, "1", { relay_topics = { "runs" } }).status)
  end)

  it("of a run's member has what goes on inside of that member, and ends with the run", function()
    helper.virtual(function()
      local deep = T.council { name = "deep", chair = true }
      local middle = T.council { name = "middle", ids = { "x" }, members = { x = { council = deep } }, chair = true }
      local plain = T.council { name = "plain", chair = true }
      local run = curia.start(T.council { ids = { "nested", "other" },
        members = { nested = { council = middle }, other = { council = plain } } }, "o?", { run_id = "a:sub:b" })
      local councils, last = {}, nil
      for event in assert(curia.subscribe { topic = "run:a:sub:b:sub:nested" }):each() do
        if event.council then councils[#councils + 1] = event.council end
        assert.not_equal("a:sub:b", event.run_id)
        last = event
      end
      assert.same({ "middle", "deep" }, councils)
      assert.equal("run_completed", last.type)
      run:await()
      assert.equal("run_started", curia.subscribe({ topic = "run:a:sub:b" }):next().type)
      assert.is_nil(curia.subscribe({ topic = "run:a:sub:b:sub:nested" }):next())
    end)
  end)

  it("of a run that nobody has is unknown_run", function()
    for _, topic in ipairs { "run:nobody", "run:nobody:sub:a" } do
      local subscription, err = curia.subscribe { topic = topic }
      assert.is_nil(subscription)
      assert.equal("unknown_run", err.kind)
      assert.equal("there is no run nobody", err.message)
    end
  end)
end)

describe("tokens on a topic", function()
  local script = { stream = { "a", "b", "c" }, chunk_delay_ms = 10, delay_ms = 5 }
  local streaming = { a = { stream = true } }

  local function council() return T.council { ids = { "a" }, members = streaming } end

  local function text_of(seen, run)
    local text = ""
    for _, event in ipairs(seen) do
      if event.run_id == run.id then text = text .. (event.type == "member_token" and event.text or "") end
    end
    return text
  end

  before_each(function() T.script(script) end)

  it("come from runs that start later, and from those under way", function()
    helper.virtual(function()
      local under_way = curia.start(council(), "1")
      task.sleep(15)
      local seen, subscription = heard { topic = "all" }
      local later = curia.start(council(), "2")
      under_way:await()
      later:await()
      task.sleep(0)
      assert.equal("abc", text_of(seen, later))
      assert.equal("c", text_of(seen, under_way):sub(-1))
      subscription:stop()
    end)
  end)

  it("are made for nobody who does not take them", function()
    helper.virtual(function()
      local seen, without = heard { topic = "all", tokens = false }
      local run = curia.start(council(), "1", { group = "tokens", relay_topics = { "t" } })
      assert.equal(0, run.log.token_watchers)
      local _, of_group = heard { topic = "group:tokens" }
      local _, relayed = heard { topic = "t" }
      local _, other = heard { topic = "u" }
      assert.equal(2, run.log.token_watchers)
      for _, subscription in ipairs { without, of_group, relayed, other } do
        subscription:stop()
        subscription:stop()
      end
      assert.equal(0, run.log.token_watchers)
      run:await()
      assert.equal("", text_of(seen, run))
    end)
  end)
end)

describe("a topic that nobody watches", function()
  it("costs a run no event", function()
    T.script "yes"
    local namespace = namespaces.of "default"
    assert.is_false(namespace.bus.wanted)
    local publish = spy.on(namespace.bus, "publish")
    curia.run(T.council {}, "1", { group = "g", relay_topics = { "t" } })
    assert.spy(publish).was_not_called()
    publish:revert()
    assert.equal(topics.of_run(nil, nil), topics.of_run(nil, nil))
  end)
end)

describe("a reader that is far behind", function()
  it("gets all events and fewer tokens: they are merged, then dropped, and counted", function()
    local log = events.new "r"
    local reader = log:subscribe {}
    for i = 0, 11999 do
      log:token { member = i % 2 == 0 and "a" or "b", idx = 1, kind = "content", text = "x", index = i // 2, attempt = 1 }
    end
    log:emit("last", {})
    log:close()
    local tokens, last = 0, nil
    for event in reader:each() do
      last = event
      if event.type == "member_token" then tokens = tokens + 1 end
    end
    assert.equal("last", last.type)
    assert.equal(12000, tokens + reader.merged + reader.dropped)
    assert.equal(1000, reader.dropped)
  end)
end)
