local helper = require "spec.helper"
local mock = require "curia.mock"
local program = require "spec.cli.program"
local programs = require "spec.recovery.program"
local support = require "spec.recovery.support"
local uv = require "luv"

local place

local CHANGING = [[
return council "changing" {
  member "a" { provider = "openai", model = "m", system = function() return "%s" end },
  member "z" { provider = "openai", model = "m" }, round "independent_analysis" { name = "first" }, round "critique" {},
}]]

local ASKING_INSIDE = [[
return council "asking" { member "a" { provider = "openai", model = "m" }, run = function(ctx)
  return ctx:step("both", function(own)
    return own:ask("a", "%s").response.content .. own:ask("a", "And then?").response.content
  end)
end }]]

local TWO_ROUNDS = [[
return council "slow" {
  member "a" { provider = "openai", model = "m" }, member "b" { provider = "openai", model = "m" },
  round "independent_analysis" {}, round "critique" {}, chair { provider = "openai", model = "m" },
}]]

local function write(file, text)
  local handle = assert(io.open(file, "w"))
  assert(handle:write(text))
  handle:close()
end

before_each(function() place = programs.place() end)
after_each(function() place.close() end)

describe("curia resume", function()
  it("goes on with a run whose process was killed, and then has nothing to go on with", function()
    support.leave_behind(place.url)
    local code, out, err = place.run("resume", "left-1", "-q")
    assert.same({ 0, "[offline]" }, { code, out:match "%S+" }, err)
    code, out, err = place.run("resume", "left-1")
    assert.same({ 1, "" }, { code, out })
    assert.matches("run left%-1 has ended: completed", err)
  end)

  it("goes on with a run that was told to end, and pays for no answer twice", function()
    local asked, open = 0, false
    local server = assert(mock.start { script = function()
      asked = asked + 1
      if asked > 2 then helper.wait_for(function() return open end) end
      return "Yes."
    end })
    local env = { CURIA_STORE = place.url, OPENAI_BASE_URL = server.url .. "/v1", OPENAI_API_KEY = "any" }
    local file = program.file(TWO_ROUNDS)
    local code, _, err = program.run({ "run", "--durable", file, "Ship?" }, { env = env, meanwhile = function(child)
      helper.wait_for(function() return asked == 4 end)
      uv.kill(child.pid, "sigterm")
      program.wait_for(child, "letting go of the run")
      open = true
    end })
    os.remove(file)
    assert.equal(143, code)
    assert.matches("was let go.*curia resume %S+ goes on with it\n$", err)
    local before = #server:requests()
    code = program.run({ "resume", "last" }, { env = env })
    local after = #server:requests()
    server:close()
    assert.same({ 0, 4, 5 }, { code, before, after })
  end)

  it("shows nothing of a run that it does not go on with, and is quiet about everything but that", function()
    support.leave_behind(place.url)
    place.run("resume", "left-1", "-q")
    for _, quiet in ipairs { {}, { "-q" } } do
      local code, out, err = place.run("resume", "left-1", table.unpack(quiet))
      assert.same({ 1, "", "curia: run left-1 has ended: completed\n" }, { code, out, err })
    end
  end)

  it("tells once what differs, and accepts that, or the file, but no step that the run has not", function()
    local asked, patient = 0, true
    local server = assert(mock.start { script = function()
      asked = asked + 1
      return { content = "Yes.", delay_ms = patient and asked > 2 and 60000 or 0 }
    end })
    local env = { CURIA_STORE = place.url, OPENAI_BASE_URL = server.url .. "/v1", OPENAI_API_KEY = "any" }
    local file = program.file(CHANGING:format "Be kind.")
    program.run({ "run", "--durable", file, "Ship?" }, { env = env, meanwhile = function(child)
      program.wait_for(child, "round 2")
      uv.kill(child.pid, "sigkill")
    end })
    patient = false
    local real = uv.fs_realpath(file)
    write(file, CHANGING:format "Be rude.")
    local function refused(...)
      local code, _, err = program.run({ "resume", "last", "-q", ... }, { env = env })
      assert.equal(1, code)
      return err
    end
    assert.matches("has changed since run.*curia resume last %-%-accept %S+ goes on all the same\n$", refused())
    assert.matches("unknown step '1/first/b'; did you mean '1/first/a'%?", refused("--accept", "1/first/b"))
    assert.matches("unknown step '2/b'", refused("--accept", "1/first/a", "--accept", "2/b"))
    local err = refused("--accept", real)
    assert.equal(1, select(2, err:gsub("Be rude", "")), err)
    assert.matches("curia resume %S+ %-%-accept 1/first/a goes on all the same\n$", err)
    local code, _, told = program.run({ "resume", "last", "-q", "--accept-all" }, { env = env })
    server:close()
    os.remove(file)
    assert.equal(0, code, told)
    assert.matches("step 1/first/a differs from what is on record, and that is accepted\n", told)
  end)

  it("accepts what a step asks otherwise inside", function()
    local asked, patient = {}, true
    local server = assert(mock.start { script = function(request)
      local text = request.messages[#request.messages].content
      asked[text] = (asked[text] or 0) + 1
      return { content = "Yes.", delay_ms = patient and text == "And then?" and 60000 or 0 }
    end })
    local env = { CURIA_STORE = place.url, OPENAI_BASE_URL = server.url .. "/v1", OPENAI_API_KEY = "any" }
    local file = program.file(ASKING_INSIDE:format "Ship?")
    program.run({ "run", "--durable", file, "Go" }, { env = env, meanwhile = function(child)
      helper.wait_for(function() return asked["And then?"] end)
      uv.kill(child.pid, "sigkill")
    end })
    patient = false
    write(file, ASKING_INSIDE:format "Wait?")
    local _, _, err = program.run({ "resume", "last", "-q", "--accept", file }, { env = env })
    assert.matches("curia resume %S+ %-%-accept step/both/ask:1 goes on all the same\n$", err)
    local code, out, told = program.run({ "resume", "last", "--accept", file, "--accept", "step/both/ask:1" }, { env = env })
    server:close()
    os.remove(file)
    assert.same({ 0, 1, nil }, { code, asked["Ship?"], asked["Wait?"] }, told)
    assert.matches("Yes.Yes.", out)
  end)

  it("needs a run", function()
    local code, _, err = place.run "resume"
    assert.equal(64, code)
    assert.matches("which run", err)
    code, _, err = place.run("resume", "nothing")
    assert.equal(1, code)
    assert.matches("nothing", err)
  end)
end)
