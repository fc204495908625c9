local curia = require "curia"
local helper = require "spec.helper"
local rows = require "curia.store.runs"
local S = require "spec.durable.support"
local shared = require "curia.store.shared"
local T = require "spec.engine.support"

local place, store
local started = 0

before_each(function()
  place = S.place()
  store = assert(shared.configured())
  T.script { content = "yes", delay_ms = 100 }
end)

after_each(function() place.close() end)

local function asking(question)
  return T.council { name = "changes", ids = { "a", "b" }, run = function(ctx)
    ctx:ask("a", question)
    ctx:ask("b", "and then?")
    return "done"
  end }
end

-- A run that died after its first answer.
local function interrupted(council)
  started = started + 1
  local id = "mismatch-" .. started
  S.die_at(store, 2, true)
  S.start(council, nil, { run_id = id }):await()
  S.live(store)
  return id
end

local function resumed(id, council, opts)
  opts = opts or {}
  opts.councils = { changes = council }
  local run, result, err
  local lines = T.logged(function()
    run = assert(S.resume(store, id, opts))
    result, err = run:await()
  end)
  return result, err, run, lines
end

describe("a council that asks for something else than is on record", function()
  it("blocks the run, and says what differs", function()
    helper.virtual(function()
      local id = interrupted(asking "what is it?")
      local result, err, run = resumed(id, asking "what is that?")
      assert.is_nil(result)
      assert.equal("replay_mismatch", err.kind)
      assert.matches("step 1/run/a is on record with another input", err.message)
      assert.matches("messages%[1%].content: recorded what is it%?, now what is that%?", err.message)
      local row = assert(rows.get(store, "default", id))
      assert.same({ "blocked", "replay_mismatch", "blocked" }, { row.status, row.reason, run.status })
      assert.is_nil(row.owner)
      assert.equal("1/run/a", row.error.context.path)
    end)
  end)

  it("goes on once the council is as it was", function()
    helper.virtual(function()
      local council = asking "what is it?"
      local id = interrupted(council)
      resumed(id, asking "what is that?")
      assert.equal("done", resumed(id, council).final.content)
    end)
  end)

  it("goes on with the step whose difference is accepted", function()
    helper.virtual(function()
      local id = interrupted(asking "what is it?")
      assert.equal("done", resumed(id, asking "what is that?", { accept = "1/run/a" }).final.content)
    end)
  end)

  local function asking_twice(word)
    return T.council { name = "changes", ids = { "a", "b" }, run = function(ctx)
      ctx:ask("a", "one " .. word)
      ctx:ask("b", "two " .. word)
      ctx:ask("a", "and then?")
      return "done"
    end }
  end

  -- A run that died after its second answer.
  local function interrupted_twice()
    started = started + 1
    local id = "mismatch-" .. started
    S.die_at(store, 3, true)
    S.start(asking_twice "before", nil, { run_id = id }):await()
    S.live(store)
    return id
  end

  it("goes on with several that are accepted at once, or all, and says which", function()
    helper.virtual(function()
      for _, accept in ipairs { { "1/run/b", "1/run/a" }, true } do
        local id = interrupted_twice()
        local result, _, _, lines = resumed(id, asking_twice "now", { accept = accept })
        assert.equal("done", result.final.content)
        local told = "warn: run %s: step 1/run/%s differs from what is on record, and that is accepted"
        assert.same({ told:format(id, "a"), told:format(id, "b") }, lines)
      end
      local _, err = resumed(interrupted_twice(), asking_twice "now", { accept = { "1/run/b" } })
      assert.equal("1/run/a", err.context.path)
    end)
  end)

  it("goes on with several that were accepted one after the other, and does not ask again", function()
    helper.virtual(function()
      local id = interrupted_twice()
      local now = asking_twice "now"
      local _, err = resumed(id, now)
      assert.equal("1/run/a", err.context.path)
      _, err = resumed(id, now, { accept = "1/run/a" })
      assert.equal("1/run/b", err.context.path)
      assert.equal("done", resumed(id, now, { accept = "1/run/b" }).final.content)
    end)
  end)

  it("is told of a call that was under way, which is not made as it is now", function()
    helper.virtual(function()
      started = started + 1
      local id, asked = "mismatch-" .. started, {}
      T.script(function(request)
        asked[#asked + 1] = request.messages[1].content
        return { content = "yes", delay_ms = 100 }
      end)
      S.die_at(store, 2, false)
      S.start(asking "what is it?", nil, { run_id = id }):await()
      S.live(store)
      local _, err = resumed(id, asking "what is that?")
      assert.same({ "replay_mismatch", "1/run/a" }, { err.kind, err.context.path })
      assert.same({ "what is it?" }, asked)
      S.die_at(store, 2, true) -- accepted, and begun: then this one dies too
      resumed(id, asking "what is that?", { accept = "1/run/a" })
      S.live(store)
      assert.equal("done", resumed(id, asking "what is that?").final.content)
    end)
  end)

  it("is told when it does not ask for a step any more", function()
    helper.virtual(function()
      local id = interrupted(asking "what is it?")
      local _, err = resumed(id, T.council { name = "changes", ids = { "a", "b" }, run = function() return "none" end })
      assert.equal("replay_mismatch", err.kind)
      assert.matches("step 1/run/a is on record, and the council does not ask for it any more", err.message)
    end)
  end)
end)

describe("a council file that has changed", function()
  local path = os.tmpname()
  local TEXT = [[
    council "filed" { members = { { id = "a", provider = "test", model = "m" } },
      run = function(ctx) ctx:ask("a", "%s") ctx:ask("a", "two") return "done" end }
  ]]

  local function write(question)
    local file <close> = assert(io.open(path, "w"))
    file:write(TEXT:format(question))
  end

  it("is not run in the place of the one that the run began with", function()
    helper.virtual(function()
      write "one"
      local id = interrupted(assert(curia.load(path)))
      write "another"
      local run, err = S.resume(store, id)
      assert.is_nil(run)
      assert.same({ "replay_mismatch", "council_changed" }, { err.kind, err.code })
      assert.matches(path .. " has changed since run " .. id .. " began with it", err.message, 1, true)
      write "one"
      assert.equal("done", assert(S.resume(store, id)):await().final.content)
      os.remove(path)
    end)
  end)
end)
