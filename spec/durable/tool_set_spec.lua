local curia = require "curia"
local helper = require "spec.helper"
local S = require "spec.durable.support"
local shared = require "curia.store.shared"

local place, store
local runs = 0

before_each(function()
  place = S.place()
  store = assert(shared.configured())
end)

after_each(function() place.close() end)

-- A council with a set of tools, whose member calls `look` and then answers with what it was given.
local function council(list)
  local offered = {}
  curia.config { providers = { test = { adapter = "scripted", script = function(request)
    offered[#offered + 1] = request.tools[1].about
    local last = request.messages[#request.messages]
    if last.role == "tool" then return { content = last.content } end
    return { tool_calls = { { id = "1", name = "look", arguments = { at = "it" } } } }
  end } } }
  return curia.council "with_set" {
    members = { { id = "a", provider = "test", model = "m" } }, rounds = { "independent_analysis" },
    tools = { { name = "eyes", list = list } },
  }, offered
end

local function look(about, seen)
  return { name = "look", about = about, run = function(args) return seen .. " " .. args.at end }
end

-- Runs a council of each of two processes, of which the first dies with the unit that would have held `died_at`.
local function in_two_processes(died_at, first, second)
  local made = council(first)
  runs = runs + 1
  local run_id = "set" .. runs
  S.die_at(store, died_at, false)
  S.start(made, nil, { run_id = run_id }):await()
  S.live(store)
  local offered
  made, offered = council(second)
  local result, err = S.resume(store, run_id, { councils = { with_set = made } }):await()
  return result and result.rounds[1].results.a.response.content, offered, err
end

describe("a set of tools in a durable run", function()
  it("is asked once, and its tools are called", function()
    helper.virtual(function()
      local asked = 0
      local made, offered = council(function()
        asked = asked + 1
        return { look("sees", "saw") }
      end)
      local result = assert(S.start(made):await())
      assert.equal("saw it", result.rounds[1].results.a.response.content)
      assert.same({ 1, { "sees", "sees" } }, { asked, offered })
    end)
  end)

  it("offers a run that goes on what it had offered, and is asked again when a tool is called", function()
    helper.virtual(function()
      local content, offered = in_two_processes(3, function() return { look("sees", "first") } end,
        function() return { look("sees in the dark", "second") } end)
      assert.equal("second it", content)
      for _, about in ipairs(offered) do assert.equal("sees", about) end
    end)
  end)

  it("needs no server for what has finished", function()
    helper.virtual(function()
      local content = in_two_processes(5, function() return { look("sees", "first") } end,
        function() error "the server is down" end)
      assert.equal("first it", content)
    end)
  end)

  it("is asked again by a run that failed because it could not be asked", function()
    helper.virtual(function()
      local is_down = true
      local made = council(function()
        if is_down then error "the server is down" end
        return { look("sees", "saw") }
      end)
      local run = S.start(made)
      assert.matches("the server is down", select(2, run:await()).message)
      is_down = false
      local result = assert(S.resume(store, run.id, { councils = { with_set = made }, reopen = true }):await())
      assert.equal("saw it", result.rounds[1].results.a.response.content)
    end)
  end)

  it("is asked again by a run that asked for it only because of an error that is tried again", function()
    helper.virtual(function()
      local attempts = 0
      local eyes = { name = "eyes", list = function() return { look("sees", "saw") } end }
      local made = curia.council "free" { tools = { eyes }, run = function(ctx)
        local ok, problem = pcall(ctx.step, ctx, "first", function()
          attempts = attempts + 1
          return attempts > 1 or error "not yet"
        end)
        if ok then return "well" end
        ctx:tool "look" -- which fails, at nothing
        error(problem, 0)
      end }
      local run = S.start(made)
      run:await()
      local result = S.resume(store, run.id, { councils = { free = made }, reopen = true }):await()
      assert.equal("well", result.final.content)
    end)
  end)

  it("tells the model of a tool that is gone", function()
    helper.virtual(function()
      assert.matches("eyes: the tool 'look' is not offered any more",
        (in_two_processes(3, function() return { look("sees", "first") } end, function() return {} end)))
    end)
  end)

  it("says which set cannot tell its tools", function()
    helper.virtual(function()
      local result = S.start((council(function() return nil, "it is down" end))):await()
      assert.matches("tools eyes: it is down", result.rounds[1].results.a.error.message)
    end)
  end)
end)
