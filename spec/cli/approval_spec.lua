local approval = require "curia.cli.approval"
local helper = require "spec.helper"
local program = require "spec.cli.program"
local terminal = require "spec.tmux"

local COUNCIL = [[
require("curia").config { providers = { here = { adapter = "scripted", model = "s", script = { rules = {
  { match = { member = "a", n = 1 }, answer = { tool_calls = { { name = "wipe", arguments = { disk = "sda" } } } } } },
  default = "done" } } } }
council "c" { member "a" { provider = "here", tools = { tool "wipe" { approval = true,
  run = function() return "wiped" end } } }, round "independent_analysis" {} }
]]

describe("an answer to the question of approval", function()
  it("is yes, no, or why not", function()
    assert.same({ true }, { approval.read "y" })
    assert.same({ true }, { approval.read " YES " })
    assert.same({ false, "the user refused it" }, { approval.read "n" })
    assert.same({ false, "the user refused it" }, { approval.read "" })
    assert.same({ false, "use sdb instead" }, { approval.read "use sdb instead" })
    assert.is_false((approval.read(nil)))
  end)

  it("answers a question that shows the call, without control characters", function()
    local question = approval.question { member = "a", call = { name = "wipe", arguments = { text = "\27[2J" } } }
    assert.matches('^a wants to call wipe {"text":', question)
    assert.is_nil(question:find "\27")
  end)
end)

describe("a call that needs approval in curia run", function()
  local path
  before_each(function() path = program.file(COUNCIL) end)
  after_each(function() os.remove(path) end)

  it("is refused where nobody can be asked, allowed with --approve all", function()
    local _, _, err = program.run { "run", path, "Why?" }
    assert.truthy(err:find("wipe needs approval, and nobody can give it here: refused", 1, true))
    _, _, err = program.run { "run", path, "Why?", "--approve", "all" }
    assert.truthy(err:find("wipe was allowed", 1, true))
    local code
    code, _, err = program.run { "run", path, "Why?", "--approve", "maybe" }
    assert.equal(64, code)
    assert.truthy(err:find("ask, all or none is expected", 1, true))
  end)

  it("waits in the store where a durable run has nobody who can be asked, and goes on from there", function()
    local place, file = require "spec.recovery.program".place(), io.open(path, "w")
    file:write((COUNCIL:gsub("n = 1", 'contains = "Why?"'))) -- what another process knows, too
    file:close()
    local code, _, err = place.run("run", path, "Why?", "--durable")
    assert.equal(1, code)
    local run_id, call = err:match "wipe needs approval: curia approve (%S+) (%S+) yes|no"
    assert.matches("curia resume " .. run_id .. " goes on with it", err, 1, true)
    code, _, err = place.run("resume", run_id)
    assert.same({ 1, call }, { code, err:match "curia approve %S+ (%S+) yes|no" })
    code, _, err = place.run("resume", run_id, "-q")
    assert.same({ 1, call }, { code, err:match "curia approve %S+ (%S+) yes|no" })
    assert.equal(0, (place.run("approve", run_id, call, "yes")))
    code, _, err = place.run("resume", run_id)
    assert.equal(0, code, err)
    place.close()
  end)

  it("is asked about at a terminal #tmux", function()
    if not terminal.found then return pending "there is no tmux here" end
    for typed, told in pairs { y = "wipe was allowed", ["not that disk"] = "wipe was refused" } do
      terminal.open(80, 24, ("%s run %s 'Why?'"):format(helper.program, path))
      local ok, err = pcall(function()
        terminal.wait_for 'a wants to call wipe {"disk":"sda"}'
        terminal.type(typed)
        terminal.press "Enter"
        terminal.wait_for(told)
        terminal.wait_for "the end"
      end)
      terminal.close()
      assert.is_true(ok, err)
    end
  end)
end)
