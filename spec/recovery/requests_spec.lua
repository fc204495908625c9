local curia = require "curia"
local helper = require "spec.helper"
local requests = require "curia.recovery.requests"
local rows = require "curia.store.runs"
local S = require "spec.durable.support"
local shared = require "curia.store.shared"
local T = require "spec.engine.support"

local place, store

before_each(function()
  place = S.place()
  store = assert(shared.configured())
end)

after_each(function() place.close() end)

-- Uses its tool first, which waits for somebody's approval.
local function answer(request)
  local last = request.messages[#request.messages]
  if last.role == "tool" then return last.content end
  return { content = "", tool_calls = { { id = "c1", name = "look", arguments = {} } } }
end

local function asking()
  local look = curia.tool "look" { about = "looks", approval = true, run = function() return "seen" end }
  return T.council { ids = { "a" }, members = { a = { tools = { look } } } }
end

local function until_blocked(run)
  for event in run:events() do
    if event.type == "run_blocked" then return end
  end
end

local function row_of(run_id)
  return assert(rows.get(store, "default", run_id))
end

-- The statements that a function reads with.
local function queries(fn)
  local texts = {}
  function store.query(self, text, ...)
    texts[#texts + 1] = text
    return getmetatable(store).query(self, text, ...)
  end
  fn()
  store.query = nil
  return texts
end

describe("what is asked of a run in the store", function()
  it("is heard by the process that has it", function()
    T.script(answer)
    helper.run(function()
      local run = S.start(asking(), nil, { run_id = "hears" })
      until_blocked(run)
      local row = row_of "hears"
      assert(requests.decide(store, row, "c1", true))
      assert.equal("not_pending", select(2, requests.decide(store, row, "c1", false)).code)
      assert(requests.hear(store))
      assert(requests.hear(store))
      assert.equal("seen", run:await().rounds[1].results.a.response.content)
      assert.equal("completed", row_of "hears".status)
    end)
  end)

  it("is decided once, however many decide at the same moment", function()
    T.script(answer)
    helper.run(function()
      local run = S.start(asking(), nil, { run_id = "once" })
      until_blocked(run)
      local row, tries, decided, codes = row_of "once", {}, 0, {}
      for i = 1, 8 do
        tries[i] = function()
          local done, err = requests.decide(store, row, "c1", i % 2 == 0)
          if done then decided = decided + 1 else codes[err.code] = true end
        end
      end
      function store.query(self, ...) -- all have looked before one decides
        local found, err = getmetatable(store).query(self, ...)
        curia.task.sleep(20)
        return found, err
      end
      curia.task.all(tries)
      store.query = nil
      assert.same({ 1, { not_pending = true } }, { decided, codes })
      assert(requests.hear(store))
      assert(run:await())
    end)
  end)

  it("is heard of all runs of a process by one statement", function()
    T.script(answer)
    helper.run(function()
      local runs = {}
      for i = 1, 5 do
        runs[i] = S.start(asking(), nil, { run_id = "asked-" .. i })
        until_blocked(runs[i])
      end
      for i = 1, 4 do assert(requests.decide(store, row_of("asked-" .. i), "c1", i > 2)) end
      assert(store:execute "UPDATE {runs} SET cancel_requested = 'enough' WHERE run_id = 'asked-5'")
      assert.equal(1, #queries(function() assert(requests.hear(store)) end))
      for i = 1, 4 do
        assert.equal(i > 2, assert(runs[i]:await()).rounds[1].results.a.response.content == "seen")
      end
      assert.equal("enough", select(2, runs[5]:await()).message)
    end)
  end)

  it("is heard by the others when one of them cannot be read, which is told once", function()
    T.script(answer)
    helper.run(function()
      local runs = {}
      for i = 1, 3 do
        runs[i] = S.start(asking(), nil, { run_id = "read-" .. i })
        until_blocked(runs[i])
        assert(requests.decide(store, row_of("read-" .. i), "c1", true))
      end
      assert(store:execute "UPDATE {steps} SET result = x'7b' WHERE kind = 'decision' AND run_id <> 'read-2'")
      local errs = {}
      local lines = T.logged(function()
        for i = 1, 2 do errs[i] = select(2, requests.hear(store)) end
      end)
      assert.same({ "validation", "validation" }, { errs[1].kind, errs[2].kind })
      assert.equal(2, #lines)
      assert.matches("run read%-[13]: what was asked of it cannot be read %(decision/c1%)", lines[1])
      assert.equal("seen", assert(runs[2]:await()).rounds[1].results.a.response.content)
      for _, i in ipairs { 1, 3 } do
        runs[i]:cancel()
        runs[i]:await()
      end
    end)
  end)

  it("costs nothing while there is no durable run", function()
    assert.same({}, queries(function() assert(requests.hear(store)) end))
  end)

  it("is not heard by a run of the same id in another store", function()
    T.script(answer)
    helper.run(function()
      local run = S.start(asking(), nil, { run_id = "twin", store = place.folder.url "other.db" })
      until_blocked(run)
      local unit = {}
      rows.insert(store, unit, {
        namespace = "default", run_id = "twin", council = "c", status = "blocked", durability = "sync", attempt = 1,
        attempts = 1, fence = 1, events = 0, cancel_requested = "this one",
      })
      assert(store:write(unit))
      assert(requests.hear(store))
      assert.is_nil((run:await(20)))
      assert.equal("blocked", run.status)
      run:cancel()
      run:await()
    end)
  end)
end)
