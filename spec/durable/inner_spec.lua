local C = require "spec.durable.consulting"
local helper = require "spec.helper"
local resuming = require "curia.durable.resume"
local rows = require "curia.store.runs"
local S = require "spec.durable.support"
local shared = require "curia.store.shared"
local T = require "spec.engine.support"
local task = require "curia.task"

local place, store, asked, ran

before_each(function()
  place = S.place()
  store = assert(shared.configured())
  asked, ran = C.script(), 0
end)

after_each(function() place.close() end)

describe("a tool of a durable run that asks a member", function()
  local council

  before_each(function()
    council = C.council(function(ctx)
      ran = ran + 1
      local first = C.ask(ctx, "b", "one")
      return C.ask(ctx, "c", first)
    end)
  end)

  it("is given the answer, which stands below it in the journal", function()
    helper.virtual(function()
      local run = C.start(council)
      assert.equal("a heard c heard b heard one", C.said(assert(run:await())))
      local found = C.steps(run.id)
      assert.same({ "tool finished", "inner finished", "call finished", "inner finished", "call finished" }, {
        found[C.TOOL], found[C.TOOL .. "/ask:1"], found[C.TOOL .. "/ask:1/b"], found[C.TOOL .. "/ask:2"],
        found[C.TOOL .. "/ask:2/c"],
      })
      assert.equal(1, ran)
    end)
  end)

  it("is run again after its process has died, and does not pay again for what had finished", function()
    helper.virtual(function()
      local id = C.died(council, 4, true) -- the first answer is stored
      assert.same({ "call finished", "tool started" }, { C.steps(id)[C.TOOL .. "/ask:1/b"], C.steps(id)[C.TOOL] })
      assert.equal("a heard c heard b heard one", C.said(assert(C.resumed(id, council))))
      assert.same({ "b: one", "c: b heard one", "a: c heard b heard one" }, asked)
      assert.equal(2, ran)
    end)
  end)

  it("is not run again once its own result is stored, and nobody is asked", function()
    helper.virtual(function()
      local id = C.died(council, 7, true)
      assert.equal("tool finished", C.steps(id)[C.TOOL])
      assert.equal("a heard c heard b heard one", C.said(assert(C.resumed(id, council))))
      assert.same({ 1, 3 }, { ran, #asked })
    end)
  end)

  it("blocks the run when it asks for something else than is on record, and says what differs", function()
    helper.virtual(function()
      local word = "one"
      local changing = C.council(function(ctx) return C.ask(ctx, "c", C.ask(ctx, "b", word)) end)
      local id = C.died(changing, 4, true)
      word = "two"
      local _, err = C.resumed(id, changing)
      assert.same({ "replay_mismatch", C.TOOL .. "/ask:1" }, { err.kind, err.context.path })
      assert.matches("%[2%]: recorded one, now two", err.message)
      local row = rows.get(store, "default", id)
      assert.same({ "blocked", "replay_mismatch" }, { row.status, row.reason })
      assert.equal("a heard c heard b heard one", C.said(assert(C.resumed(id, changing, { accept = C.TOOL .. "/ask:1" }))))
      assert.same({ "b: one", "c: b heard one", "a: c heard b heard one" }, asked)
    end)
  end)
end)

describe("other arguments that a tool has when it is run again", function()
  it("are nowhere on record, so that the run goes on once they are put back", function()
    helper.virtual(function()
      local word = "one"
      local council = C.council(function(ctx)
        local both = ctx:all {
          function() return ctx:step("x", function(own) return C.ask(own, "b", word) end) end,
          function() return C.ask(ctx, "c", word) end,
        }
        return table.concat(both, " ")
      end)
      local id = C.died(council, 3, true) -- the step has not asked yet
      word = "two"
      assert.equal(C.TOOL .. "/all:1/2/ask:1", select(2, C.resumed(id, council)).context.path)
      word = "one"
      assert.equal("a heard b heard one c heard one", C.said(assert(C.resumed(id, council))))
    end)
  end)

  it("are accepted one after the other, and nobody is asked again", function()
    helper.virtual(function()
      local word = "before"
      local council = C.council(function(ctx)
        return C.ask(ctx, "b", "one " .. word) .. C.ask(ctx, "c", "two " .. word) .. C.ask(ctx, "b", "three")
      end)
      local id = C.died(council, 6, true) -- two have answered
      word = "now"
      for i = 1, 2 do
        local opts = i > 1 and { accept = C.TOOL .. "/ask:" .. i - 1 } or nil
        local _, err = C.resumed(id, council, opts)
        assert.equal(C.TOOL .. "/ask:" .. i, err.context.path)
      end
      assert.equal("a heard b heard one beforec heard two beforeb heard three",
        C.said(assert(C.resumed(id, council, { accept = C.TOOL .. "/ask:2" }))))
      assert.same({ "b: one before", "c: two before", "b: three" }, { table.unpack(asked, 1, 3) })
      assert.equal(4, #asked)
    end)
  end)
end)

describe("a tool of a durable run that must not be run twice", function()
  it("is interrupted when its process has died, whatever has finished inside of it", function()
    helper.virtual(function()
      local council = C.council(function(ctx)
        ran = ran + 1
        return C.ask(ctx, "c", C.ask(ctx, "b", "one"))
      end, { idempotent = false })
      local id = C.died(council, 5, true) -- the second call has begun
      assert.matches("interrupted: outcome unknown", C.said(assert(C.resumed(id, council))))
      assert.same({ 1, 2, "b: one" }, { ran, #asked, asked[1] })
      assert.matches("a: .*interrupted", asked[2])
    end)
  end)
end)

describe("what a tool of a durable run does by way of ctx", function()
  local function run(fn)
    return C.start(C.council(fn))
  end

  it("raises there what it raises", function()
    helper.virtual(function()
      local started_run = run(function(ctx)
        local _, unknown = pcall(ctx.ask, ctx, "nobody", "x")
        local _, parsed = pcall(ctx.ask, ctx, "b", "x", { parse = tostring })
        local _, no_json = pcall(ctx.ask, ctx, "b", { question = print })
        local _, council = pcall(ctx.run, ctx, T.council { run = function() return 1 end })
        local _, no_function = pcall(ctx.step, ctx, "x")
        local _, no_council = pcall(ctx.run, ctx, {})
        return table.concat({ unknown.message, parsed.message, no_json.message, council.message, no_function, no_council },
          "; ")
      end)
      local text = C.said(assert(started_run:await()))
      assert.matches("no member 'nobody'", text)
      assert.matches("ask: inside of a tool or a step of a durable run what comes back is parsed by whoever asks", text)
      assert.matches("arguments are recorded, and must be JSON values", text)
      assert.matches("a council with functions is registered, and called by its name", text)
      assert.matches("bad argument #2 to 'step'", text)
      assert.matches("bad argument #1 to 'run'", text)
    end)
  end)

  it("is the tool's own: changing it does not change the run", function()
    helper.virtual(function()
      local started_run = run(function(ctx)
        ctx:ask("b", "x").response.content = "changed"
        return "done"
      end)
      assert.equal("b heard x", assert(started_run:await()).rounds[1].results.b.response.content)
    end)
  end)

  it("concludes, logs, runs a round and another council", function()
    helper.virtual(function()
      local other = T.council { name = "other", ids = { "b" } }
      local started_run = run(function(ctx)
        local round = ctx:round("independent_analysis", { members = { "c" } })
        assert(round.results.c.status == "ok")
        local result = assert(ctx:run(other, "inside"))
        ctx:log("info", "half way")
        ctx:conclude(result.rounds[1].results.b.response.content)
        return nil
      end)
      assert.equal("b heard inside", assert(started_run:await()).final.content)
      local found = {}
      for _, event in ipairs(rows.events(store, "default", started_run.id)) do found[event.type] = event end
      assert.equal("half way", found.log.text)
    end)
  end)
end)

describe("a step of a durable run", function()
  it("is given ctx, and may have steps inside", function()
    helper.virtual(function()
      local council = T.council { name = "steps", ids = { "b" }, run = function(ctx)
        return ctx:step("outer", function(own)
          ran = ran + 1
          return own:step("inner", function(deeper) return C.ask(deeper, "b", "deep") end)
        end)
      end }
      local id = C.died(council, 4, true)
      assert.equal("call finished", C.steps(id)["step/outer/step:1/inner/ask:1/b"])
      assert.equal("b heard deep", assert(C.resumed(id, council)).final.content)
      assert.same({ 2, 1 }, { ran, #asked })
    end)
  end)
end)

describe("a durable run that has failed", function()
  local function reopened(id, council)
    assert(store:execute("UPDATE {runs} SET fence = fence + 1, status = 'running', finalized_at = NULL WHERE run_id = ?",
      id))
    return assert(resuming.resume(store, assert(rows.get(store, "default", id)),
      { councils = { [council.name] = council }, reopen = true }))
  end

  it("tries the error of a tool again with those inside that led to it", function()
    helper.virtual(function()
      local council = T.council { name = "fails", run = function(ctx)
        return ctx:step("asks", function()
          local first, second = C.ask(ctx, "b", "one"), ctx:ask("c", "two")
          if second.error then error(second.error, 0) end
          return first .. ", " .. second.response.content
        end)
      end }
      local failures = 0
      asked = C.script(function(request)
        if request.member ~= "c" or failures == 1 then return nil end
        failures = failures + 1
        return { error = 400, delay_ms = 20 }
      end)
      local run = C.start(council)
      run:await()
      assert.same({ 1, "b: one" }, { failures, asked[1] })
      assert.equal("b heard one, c heard two", assert(reopened(run.id, council):await()).final.content)
      assert.same({ "b: one", "c: two" }, asked)
    end)
  end)

  it("asks for what it had given up, where only time had brought that", function()
    helper.virtual(function()
      asked = C.script(function(request)
        local text = request.messages[#request.messages].content
        return text:find "quick" and { content = text, delay_ms = 40 } or nil
      end)
      local attempts = 0
      local council = T.council { name = "fails", run = function(ctx)
        ctx:all {
          function() task.within(100, ctx.ask, ctx, "b", "slow") end,
          function() C.ask(ctx, "c", "quick") C.ask(ctx, "c", "quick again") end,
        }
        attempts = attempts + 1
        return attempts > 1 and "well" or error "not yet"
      end }
      local run = C.start(council)
      run:await()
      assert.equal("call abandoned", C.steps(run.id)["1/run/b"])
      assert.equal("well", assert(reopened(run.id, council):await()).final.content)
    end)
  end)

  it("because its processes died goes on with what was under way inside of a tool", function()
    helper.virtual(function()
      local council = C.council(function(ctx) return C.ask(ctx, "c", C.ask(ctx, "b", "one")) end)
      for unit = 3, 5, 2 do -- b is being asked, c is
        local id = C.died(council, unit, true)
        assert(store:execute("UPDATE {runs} SET status = 'failed' WHERE run_id = ?", id))
        assert.equal("a heard c heard b heard one", C.said(assert(C.resumed(id, council, { reopen = true }))))
      end
    end)
  end)

  it("does not ask again what was only asked because of such an error", function()
    helper.virtual(function()
      local council = T.council { name = "fails", run = function(ctx)
        return ctx:step("asks", function()
          local first = ctx:ask("c", "one")
          if not first.error then return first.response.content end
          error(ctx:ask("b", "instead").error, 0)
        end)
      end }
      local members = {}
      C.script(function(request)
        members[#members + 1] = request.member
        return #members < 3 and { error = 400 } or { content = "well" }
      end)
      local run = C.start(council)
      run:await()
      assert.equal("well", assert(reopened(run.id, council):await()).final.content)
      assert.same({ "c", "b", "c" }, members)
    end)
  end)

  it("keeps the errors inside of a step that has come to something", function()
    helper.virtual(function()
      local council = T.council { name = "fails", run = function(ctx)
        local status = ctx:step("asks", function() return ctx:ask("c", "two").status end)
        local second = ctx:ask("b", status)
        if second.error then error(second.error, 0) end
        return second.response.content
      end }
      local members = {}
      C.script(function(request)
        members[#members + 1] = request.member
        return #members < 3 and { error = 400 } or { content = "well" }
      end)
      local run = C.start(council)
      run:await()
      assert.same({ "c", "b" }, members)
      local result = assert(reopened(run.id, council):await())
      assert.equal("well", result.final.content)
      assert.same({ "c", "b", "b" }, members)
      assert.equal("error", result.rounds[1].results.c.status)
    end)
  end)
end)
