local curia = require "curia"
local errors = require "curia.errors"
local helper = require "spec.helper"
local S = require "spec.durable.support"
local rows = require "curia.store.runs"
local shared = require "curia.store.shared"

local place, store
local compared = 0

before_each(function()
  place = S.place()
  store = assert(shared.configured())
end)

after_each(function() place.close() end)

local function stored(run_id)
  return (rows.get(store, "default", run_id))
end

local function resumed(run_id, case)
  return assert(S.resume(store, run_id, { councils = { [case.council.name] = case.council } }))
end

-- The run until its end, dying once at each of its units of work: at the first, then at the second of the next
-- process, and so on. `drive(run)` waits for its end.
local function with_deaths(run_id, case, committed)
  for units = 1, 200 do
    S.die_at(store, units, committed)
    local run = stored(run_id) and resumed(run_id, case) or S.start(case.council, case.input, case.opts(run_id))
    local result, err = (case.drive or run.await)(run)
    S.live(store)
    if not (err and err.code == "lost") then return result, units - 1, err end
    local row = stored(run_id)
    if row and row.finalized_at then return row.result, units, row.error end
  end
  error "it does not end"
end

-- Calls that were under way are made again at the same time, so that which of them ends first may change.
local function steady(case, run_id, result, err)
  local lines = case.in_any_order and {} or S.events(store, run_id)
  lines[#lines + 1] = S.steady(result or errors.is(err) and { kind = err.kind, message = err.message } or {})
  local text = table.concat(lines, "\n"):gsub(run_id, "RUN")
  return (text:gsub("%x%x%x%x%x%x%x%x%-%x%x%x%x%-7%x%x%x%-%x%x%x%x%-" .. ("%x"):rep(12), "UUID"))
end

local function options(given)
  return function(run_id)
    local own = { run_id = run_id }
    for name, value in pairs(given or {}) do own[name] = value end
    return own
  end
end

-- Dies before units are committed and after; the outcome and all events must be those of a run in peace.
local function compare(case)
  case.opts, compared = options(case.opts), compared + 1
  local peaceful = S.start(case.council, case.input, case.opts("peaceful" .. compared))
  local expected = steady(case, peaceful.id, (case.drive or peaceful.await)(peaceful))
  for _, committed in ipairs { true, false } do
    local run_id = (committed and "after" or "before") .. compared
    local result, deaths, err = with_deaths(run_id, case, committed)
    assert.is_true(deaths > 1)
    S.equal(expected, steady(case, run_id, result, err))
  end
end

local function councils()
  local pipe, paths = assert(io.popen "ls councils/*.lua"), {}
  for path in pipe:lines() do paths[#paths + 1] = path end
  pipe:close()
  return paths
end

describe("a run whose process dies at each unit of work ends as if nothing had happened:", function()
  for _, path in ipairs(councils()) do
    it(path, function()
      helper.virtual(function()
        compare { council = assert(curia.load(path)), opts = { offline = true } }
      end)
    end)
  end
end)

-- ---- what depends on order and time ---------------------------------------------------------------

local NAMES = { "ann", "bob", "cat", "dan" }

local function members(more)
  local list = {}
  for i, id in ipairs(NAMES) do
    list[i] = { id = id, model = "m", provider = "test" }
    for name, value in pairs(more or {}) do list[i][name] = value end
  end
  return list
end

local function council(body)
  body.members = body.members or members()
  return curia.council "ordered"(body)
end

-- Answers come in the order of the delays, not in that of the members.
local DELAYS = { ann = 410, bob = 130, cat = 970, dan = 220 }

local function script(fn)
  curia.config { providers = { test = { adapter = "scripted", script = fn or function(request)
    return { content = request.member .. " says " .. #request.messages, delay_ms = DELAYS[request.member] }
  end } } }
end

-- Whoever waits for the run cancels it once that member has answered.
local function cancelled_after(member, case)
  function case.drive(run)
    local subscription = run:subscribe(function(event)
      if event.type == "member_completed" and event.member == member then run:cancel "enough" end
    end)
    local result, err = run:await()
    subscription:stop()
    return result, err
  end
  return case
end

local CASES = {}

CASES["a quorum that closes without a straggler"] = function()
  script()
  return { council = council { rounds = { { type = "independent_analysis", quorum = 3, grace_ms = 100 } } } }
end

CASES["a round whose time is over"] = function()
  script()
  return { council = council { rounds = { { type = "independent_analysis", timeout_ms = 300 }, "revise" } } }
end

CASES["members' own deadlines"] = function()
  script()
  return { council = council { rounds = { "independent_analysis" }, member_timeout_ms = 250 } }
end

CASES["the run's deadline"] = function()
  script()
  return { council = council { rounds = { "independent_analysis", "revise" } }, opts = { deadline_ms = 1000 } }
end

CASES["retries with their waits"] = function()
  local tried = {}
  script(function(request)
    local key = request.run_id .. request.member
    tried[key] = (tried[key] or 0) + 1
    if request.member == "bob" then return { error = 503 } end
    return { content = request.member .. " says", delay_ms = DELAYS[request.member] }
  end)
  return { council = council { rounds = { "independent_analysis" }, retry = { attempts = 3, base_ms = 200 } } }
end

CASES["a budget that refuses"] = function()
  script()
  return { council = council { rounds = { "independent_analysis", "revise" }, budget = { calls = 5 } } }
end

CASES["a budget at which the chair concludes"] = function()
  script()
  return { council = council {
    rounds = { "independent_analysis", "revise", "synthesis" }, budget = { calls = 6 }, on_budget = "conclude",
    chair = { model = "m", provider = "test" },
  } }
end

CASES["a failure that ends the others"] = function()
  script(function(request)
    if request.member == "dan" then return { error = 400, delay_ms = 150 } end
    return { content = request.member .. " says", delay_ms = DELAYS[request.member] }
  end)
  return { council = council { rounds = { { type = "independent_analysis", failure_mode = "fail_fast" }, "revise" } } }
end

CASES["calls that wait for the first byte of another"] = function()
  script(function(request)
    return { stream = { request.member, " says" }, delay_ms = DELAYS[request.member], chunk_delay_ms = 50 }
  end)
  return { in_any_order = true, council = council { members = members { stream = true },
    rounds = { { type = "independent_analysis", stagger = true } } } }
end

CASES["an answer that is repaired"] = function()
  script(function(request)
    return { content = #request.messages > 1 and '{"x":1}' or "no JSON", delay_ms = DELAYS[request.member] }
  end)
  return { in_any_order = true, council = council { rounds = { { type = "independent_analysis",
    schema = { type = "object", properties = { x = { type = "integer" } }, required = { "x" } } } } } }
end

CASES["samples that stop early"] = function()
  script(function(request) return { content = "Answer: 4", delay_ms = 100 + (request.seed or 0) % 7 * 50 } end)
  return { council = council { members = { members()[1] },
    rounds = { { type = "sample", samples = 8, stop_when = "unassailable", concurrency = 3 } } } }
end

CASES["a bracket"] = function()
  script(function(request)
    return { content = request.messages[#request.messages].content:find "A" and "A" or "B", delay_ms = 50 }
  end)
  return { council = council { rounds = { "independent_analysis", "pairwise_elimination" } } }
end

CASES["members that are councils"] = function()
  script()
  local inner = curia.council "inner" { members = members(), rounds = { "independent_analysis", "synthesis" },
    chair = { model = "m", provider = "test" } }
  return { council = council { members = { { id = "inside", council = inner }, members()[1] },
    rounds = { "independent_analysis", "critique" } } }
end

CASES["free Lua with all effects"] = function()
  script()
  return { council = council { run = function(ctx)
    local told = { ctx:uuid(), ctx:random(), ctx:uuid() }
    ctx:sleep(150)
    told[4] = ctx:step("look", function()
      curia.task.sleep(30)
      return { list = {}, half = 0.5, whole = 3 }
    end).whole
    local first, place_ = ctx:first { function() return ctx:ask("ann").response.content end,
      function() return ctx:ask("bob", "to bob").response.content end }
    told[5], told[6] = first, place_
    local both = ctx:all { function() return ctx:ask("cat", told[1]).status end,
      function() return ctx:ask("dan", "2", { deadline = 100 }).status end }
    told[7], told[8] = both[1], both[2]
    ctx:log("info", "half way")
    return curia.json.encode(told)
  end } }
end

CASES["a call of which nobody waits for the outcome before it has begun"] = function()
  script()
  return { council = council { run = function(ctx)
    ctx:first { function() ctx:sleep(0) end, function() ctx:ask("bob") end }
    return ctx:ask("ann").response.content
  end } }
end

CASES["a sub-council of a script"] = function()
  script()
  local inner = curia.council "inner" { members = members(), rounds = { "independent_analysis" } }
  return { council = council { run = function(ctx)
    local result = assert(ctx:run(inner, "first"))
    local second = assert(ctx:run(inner, "second", { deadline_ms = 600 }))
    return result.rounds[1].results.ann.response.content .. second.status
  end } }
end

CASES["tools and their approval"] = function()
  script(function(request)
    local last = request.messages[#request.messages]
    if last.role == "tool" then return { content = "it is " .. last.content, delay_ms = 20 } end
    return { content = "", tool_calls = { { id = "c1", name = "look", arguments = { at = request.member } } },
      delay_ms = DELAYS[request.member] }
  end)
  local look = curia.tool "look" { about = "looks", approval = true, idempotent = true,
    run = function(args)
      curia.task.sleep(40)
      return args.at .. " seen"
    end }
  local case = { council = council { members = { members()[1], members()[2] }, tools = { look },
    rounds = { "independent_analysis" } } }
  for _, member in ipairs(members()) do member.tools = { look } end
  function case.drive(run)
    local subscription = run:subscribe(function(event)
      if event.type == "run_blocked" then run:approve(event.call.id, event.member ~= "bob", "not you") end
    end)
    local result, err = run:await()
    subscription:stop()
    return result, err
  end
  return case
end

-- Asks the tool once, then says what it gave.
local function calls_tool(request)
  local last = request.messages[#request.messages]
  if last.role == "tool" then return { content = "it is " .. last.content, delay_ms = 20 } end
  return { content = "", tool_calls = { { id = "c1", name = "consult", arguments = { about = request.member } } },
    delay_ms = DELAYS[request.member] }
end

local function consulting(ids, fn, deadline)
  script(function(request)
    if request.tools then return calls_tool(request) end
    return { content = request.member .. " says " .. request.messages[#request.messages].content,
      delay_ms = DELAYS[request.member] }
  end)
  local consult = curia.tool "consult" { about = "asks others", idempotent = true, run = fn }
  local list = members()
  for i = 1, #ids do list[i].tools, list[i].deadline = { consult }, deadline end
  return { in_any_order = #ids > 1,
    council = council { members = list, rounds = { { type = "independent_analysis", members = ids } } } }
end

local function ask_in_turn(args, ctx)
  local first = ctx:ask("cat", "first, " .. args.about, { keep = false }).response.content
  local sum = ctx:step("sum", function() return #first end)
  return ctx:ask("dan", first .. sum, { keep = false }).response.content
end

CASES["tools that ask members, one after the other"] = function()
  return consulting({ "ann" }, ask_in_turn)
end

CASES["tools that ask members at the same time"] = function()
  return consulting({ "ann", "bob" }, ask_in_turn)
end

CASES["tools with all effects inside"] = function()
  local inner = curia.council "inner" { members = members(), rounds = { "independent_analysis" } }
  local case = consulting({ "ann" }, function(args, ctx)
    local told = { ctx:random(), ctx:uuid(), ctx:random() }
    ctx:sleep(70)
    ctx:log("info", "in the tool of " .. args.about)
    local both = ctx:all {
      function()
        ctx:sleep(10)
        return ctx:ask("dan", "beside", { keep = false }).response.content
      end,
      function() return ctx:ask("cat", "beside", { keep = false }).response.content end,
    }
    local won, place_ = ctx:first {
      function() return ctx:ask("cat", "a race", { keep = false }).response.content end,
      function() return ctx:ask("dan", "a race", { keep = false }).response.content end,
    }
    local result = assert(ctx:run(inner, won))
    told[4], told[5], told[6] = both, place_, ctx:ask("cat", won, { keep = false }).response.content
    told[7] = ctx:tool("twice", { text = result.rounds[1].results.ann.response.content })
    return curia.json.encode(told)
  end)
  curia.register("tool", "twice", curia.tool "twice" { about = "twice", idempotent = true, run = function(args, ctx)
    return args.text .. ctx:ask("dan", args.text, { keep = false }).response.content
  end })
  return case
end

CASES["a member's deadline in the middle of a tool that asks"] = function()
  return consulting({ "ann" }, ask_in_turn, 900)
end

CASES["a run that is cancelled in the middle of a tool that asks"] = function()
  return cancelled_after("cat", consulting({ "ann" }, ask_in_turn))
end

CASES["steps with steps and asks inside"] = function()
  script()
  return { council = council { run = function(ctx)
    local told = { ctx:random() }
    told[2] = ctx:step("outer", function(own)
      local first = own:ask("ann", "in a step").response.content
      local second = ctx:step("inner", function() return { ctx:ask("bob", first).response.content, ctx:random() } end)
      return { first, second, ctx:ask("bob", "after it").response.content }
    end)
    told[3], told[4] = ctx:random(), ctx:ask("cat", "outside").response.content
    return curia.json.encode(told)
  end } }
end

CASES["routers that ask"] = function()
  script()
  return { council = council { rounds = { { type = "independent_analysis", router = function(_, ctx)
    local count = ctx:step("how many", function() return 2 end)
    ctx:sleep(20)
    local words = ctx:ask("cat", "who?", { keep = false }).response.content
    return count == 2 and words:find "cat" and { "ann", "dan" } or {}
  end }, "revise" } } }
end

CASES["a run that is cancelled"] = function()
  script()
  return cancelled_after("ann", { council = council { rounds = { "independent_analysis", "revise" } } })
end

describe("a run whose process dies at each unit of work comes to the same by", function()
  local names = {}
  for name in pairs(CASES) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    it(name, function()
      helper.virtual(function() compare(CASES[name]()) end)
    end)
  end
end)

describe("a run that is resumed", function()
  after_each(function() curia.calibration.forget() end)

  it("goes by what was known of its members before", function()
    helper.virtual(function()
      script()
      for _ = 1, 20 do curia.calibration.record({ member = "ann", confidence = 0.9 }, false) end
      local made = council { members = { {
        id = "ann", model = "m", provider = "test",
        confidence = { strategy = function() return 0.9 end, calibrate = true },
      } }, rounds = { "independent_analysis", { type = "independent_analysis", name = "again" } } }
      S.die_at(store, 3, true)
      S.start(made, "Why?", { run_id = "calibrated" }):await()
      S.live(store)
      curia.calibration.forget()
      local result = assert(resumed("calibrated", { council = made }):await())
      assert.same({ 0, 0.9 }, {
        result.rounds[1].results.ann.confidence, result.rounds[2].results.ann.confidence,
      })
    end)
  end)
end)
