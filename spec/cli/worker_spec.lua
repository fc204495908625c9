local helper = require "spec.helper"
local json = require "curia.json"
local program = require "spec.cli.program"
local support = require "spec.store.support"
local uv = require "luv"
local worker = require "curia.cli.worker"

local folder

before_each(function()
  folder = support.folder()
  assert(uv.fs_mkdir(folder.path "councils", 448))
end)
after_each(function() folder.remove() end)

local function write(name, text)
  local file = assert(io.open(folder.path("councils/" .. name), "w"))
  file:write(text)
  file:close()
end

local ECHO = [[council "echo" { run = function(_, input) return "echo: " .. input.question end }]]

local function jobs(...)
  local args = { "jobs", ... }
  args[#args + 1] = "--store"
  args[#args + 1] = folder.url "jobs.db"
  local _, out = program.run(args)
  return (out:gsub("%s+$", ""))
end

describe("the councils of a worker", function()
  it("are those that come with Curia, and a folder's, which win", function()
    write("echo.lua", ECHO)
    write("critic.lua", ECHO:gsub("echo", "critic"))
    write("notes.txt", "no council")
    local known = assert(worker.councils(folder.path "councils"))
    assert.is_truthy(known.llm_council and known.echo)
    assert.is_truthy(known.critic:spec().run)
    assert.is_truthy(worker.councils().critic)
  end)

  it("are refused as a whole when one is wrong", function()
    write("wrong.lua", "council 'x' {")
    local known, message = worker.councils(folder.path "councils")
    assert.is_nil(known)
    assert.matches("wrong.lua", message)
    assert.matches("ENOENT", select(2, worker.councils(folder.path "none")))
  end)
end)

describe("curia worker", function()
  it("executes jobs until it is told to stop", function()
    write("echo.lua", ECHO)
    local id = jobs("enqueue", "echo", "Why?")
    local code, _, err = program.run({
      "worker", "--councils", folder.path "councils", "--store", folder.url "jobs.db", "--concurrency", "2",
    }, {
      meanwhile = function(child)
        program.wait_for(child, "completed")
        child.handle:kill "sigterm"
      end,
    })
    assert.equal(0, code)
    assert.matches("queue default, 2 at once", err)
    assert.is_truthy(err:find(("job %s (echo): attempt 1 begins"):format(id), 1, true))
    assert.matches("completed; this took [%d.]+ m?s\n", err)
    assert.matches("stopped\n$", err)
    local job = json.decode(jobs("show", id, "--json"))
    assert.same({ "completed", 1 }, { job.state, job.attempt })
  end)

  it("gives back what takes longer than it may", function()
    write("slow.lua", [[council "slow" { run = function(ctx) ctx:sleep(60000) return "late" end }]])
    local id = jobs("enqueue", "slow", "Why?")
    program.run({
      "worker", "--councils", folder.path "councils", "--store", folder.url "jobs.db", "--drain", "10ms",
    }, {
      meanwhile = function(child)
        program.wait_for(child, "begins")
        child.handle:kill "sigterm"
      end,
    })
    local job = json.decode(jobs("show", id, "--json"))
    assert.same({ "available", 0 }, { job.state, job.attempt })
  end)

  it("takes up the job of a worker that was killed, and repeats nothing that was done", function()
    local trace, reached, go_on = folder.path "trace", folder.path "reached", folder.path "go_on"
    write("steps.lua", ([[council "steps" { run = function(ctx)
      ctx:step("first", function()
        local file = io.open(%q, "a")
        file:write "done\n"
        file:close()
        return true
      end)
      ctx:step("second", function()
        io.open(%q, "w"):close()
        while not io.open(%q) do require("curia").task.sleep(5) end
        return true
      end)
      return "done"
    end }]]):format(trace, reached, go_on))
    local id = jobs("enqueue", "steps", "Why?")
    local args = { "worker", "--councils", folder.path "councils", "--store", folder.url "jobs.db" }
    program.run(args, {
      meanwhile = function(child)
        helper.wait_for(function() return uv.fs_stat(reached) end) -- what was before is stored
        child.handle:kill "sigkill"
      end,
    })
    assert.equal("executing", json.decode(jobs("show", id, "--json")).state)
    assert(io.open(go_on, "w")):close()
    program.run(args, {
      meanwhile = function(child)
        program.wait_for(child, "completed")
        child.handle:kill "sigterm"
      end,
    })
    local job = json.decode(jobs("show", id, "--json"))
    assert.same({ "completed", 1 }, { job.state, job.attempt })
    local file = assert(io.open(trace))
    assert.equal("done\n", file:read "a")
    file:close()
  end)

  it("works while a run waits for a decision, and another goes on with it", function()
    write("echo.lua", ECHO)
    write("asks.lua", [[
      require("curia").config { providers = { asks = { adapter = "scripted", script = function(request)
        local last = request.messages[#request.messages]
        if last.role == "tool" then return last.content end
        return { content = "", tool_calls = { { id = "c1", name = "look", arguments = {} } } }
      end } } }
      local look = tool "look" { about = "looks", approval = true, run = function() return "seen" end }
      return council "asks" { members = { { id = "a", provider = "asks", model = "m", tools = { look } } },
        rounds = { "independent_analysis" } }
    ]])
    local asks = jobs("enqueue", "asks", "Why?")
    local args = {
      "worker", "--councils", folder.path "councils", "--store", folder.url "jobs.db", "--concurrency", "1",
    }
    program.run(args, {
      meanwhile = function(child)
        program.wait_for(child, "parked")
        jobs("enqueue", "echo", "Why?")
        program.wait_for(child, "completed")
        child.handle:kill "sigkill"
      end,
    })
    local run_id = json.decode(jobs("show", asks, "--json")).run_id
    local code, _, err = program.run({ "approve", run_id, "c1", "yes" }, { env = { CURIA_STORE = folder.url "jobs.db" } })
    assert.equal(0, code, err)
    program.run(args, {
      meanwhile = function(child)
        program.wait_for(child, asks .. " (asks): completed")
        child.handle:kill "sigterm"
      end,
    })
    local job = json.decode(jobs("show", asks, "--json"))
    assert.same({ "completed", 1 }, { job.state, job.attempt })
  end)

  it("takes no argument", function()
    local code, _, err = program.run { "worker", "default" }
    assert.equal(64, code)
    assert.matches("'default' is one", err)
  end)
end)
