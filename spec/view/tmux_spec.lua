-- The live view in a real terminal: tmux draws it, tmux tells what stands there.
local program = require "spec.cli.program"
local terminal = require "spec.tmux"
local uv = require "luv"

local COUNCIL = [[
local function words(text) return { content = text, pieces = 12, chunk_delay_ms = 60 } end
require("curia").config { providers = { here = { adapter = "scripted", model = "s-1", script = { rules = {
  { match = { member = "thinker" }, answer = { reasoning = "weighing it all", content = "So be it.", pieces = 8,
    chunk_delay_ms = 100, cost = 0.25 } },
  { match = { member = "wide" }, answer = words "日本語 \27[2J\27]0;owned\7 👩‍🚀 e\u{301} שלום\r\n\tend" },
  { match = { member = "flaky", n = 1 }, answer = { error = { status = 429, message = "busy", retry_after_ms = 1500 } } },
  { match = { member = "broken" }, answer = { error = { status = 401, message = "who are you?" } } },
  { match = { member = "user", n = 1 }, answer = { tool_calls = { { name = "clock", arguments = {} } } } },
  { match = { member = "boss" }, answer = words(("The last word. "):rep(12)) },
}, default = words "Words that come one by one." } } } }
local clock = tool "clock" { about = "The time.", run = function()
  require("curia").task.sleep(1500)
  return "noon"
end }
local inner = council "inner" { member "x" { provider = "here", stream = true },
  member "y" { provider = "here", stream = true }, round "independent_analysis" {}, chair { provider = "here" } }
council "all_sorts" { budget = { tokens = 9000 },
  member "thinker" { provider = "here", stream = true }, member "wide" { provider = "here", stream = true },
  member "flaky" { provider = "here", stream = true }, member "broken" { provider = "here", stream = true },
  member "user" { provider = "here", stream = true, tools = { clock } }, member "panel" { council = inner },
  round "independent_analysis" {}, chair { id = "boss", provider = "here", stream = true } }
]]

-- A view whose terminal is lent to a question while a run goes on.
local ASKING = [[
local curia, task = require "curia", require "curia.task"
curia.config { providers = { here = { adapter = "scripted", script = {
  content = "Words that come one by one.", pieces = 12, chunk_delay_ms = 100 } } } }
local asked = curia.council "asked" { curia.member "ann" { provider = "here", model = "m", stream = true },
  curia.round "independent_analysis" {} }
task.run(function()
  local view <close> = require "curia.view".open { council = "asked" }
  local run = assert(curia.start(asked, "Why?"))
  local function ask(question, answer)
    task.sleep(500)
    view:say(question .. view:ask(function()
      io.stderr:write("allow it? ")
      task.sleep(800)
      return answer
    end))
  end
  local first, second = task.spawn(ask, "the first: ", "yes"), task.spawn(ask, "the second: ", "no")
  for event in run:events() do view:event(event) end
  first:await()
  second:await()
  view:close()
end)
]]

local screen, wait_for, open, tmux = terminal.screen, terminal.wait_for, terminal.open, terminal.command

-- In a terminal of a certain size, with what the test makes of it.
local function with_run(columns, rows, fn, env)
  local path = program.file(COUNCIL)
  open(columns, rows, ("%s run %s#all_sorts 'Why?'"):format(uv.exepath(), path), env)
  local ok, err = pcall(fn)
  tmux("kill-server")
  os.remove(path)
  if not ok then error(err, 0) end
end

describe("the live view in tmux #tmux", function()
  if not terminal.found then
    return pending("there is no tmux here (./install --dev brings it)")
  end

  it("shows each member beside the others, and what each does", function()
    with_run(100, 30, function()
      local missing
      assert(terminal.wait_until(function(shown)
        for _, pattern in ipairs {
          "calls clock", "thinker  s%-1 +│ .* wide  s%-1 +│ .* flaky  s%-1\n", "again in %d.%d s: the provider",
          "round 1 of 2 · independent_analysis · %d of 6 done · 1 failed +%d+ of 9,000 tokens .*%d.%d s\n",
          "the key was refused: who are", "panel  council inner\n", "│   [^ ]+ x · a",
        } do
          missing = pattern
          if not shown:find(pattern) then return shown:find("the end", 1, true) and error(missing .. "\n" .. shown) end
        end
        return true
      end), missing)
    end)
  end)

  it("leaves everything to be read and copied in the end, and nothing of its pictures", function()
    with_run(100, 30, function()
      local shown = wait_for("the end", "-J")
      assert.truthy(shown:find("\n  日本語 [2J]0;owned 👩‍🚀 e\u{301} שלום\n      end\n", 1, true), shown)
      assert.truthy(shown:find(("The last word. "):rep(6), 1, true))
      assert.truthy(shown:find("\npartial    there is an answer, and somebody is missing in it\n", 1, true))
      assert.is_nil(shown:find("answering", 1, true))
      assert.equal("1", tmux("display-message", "-p", "#{cursor_flag}"):sub(1, 1))
    end)
  end)

  it("follows the terminal's size at any moment", function()
    with_run(100, 30, function()
      wait_for "flaky"
      tmux("resize-window", "-x", "20", "-y", "24")
      assert.matches("\nround 1 of…", wait_for "round 1 of…")
      tmux("resize-window", "-x", "100", "-y", "30")
      wait_for "thinker  s-1"
      assert.is_nil(wait_for("the end"):find("round 1 of…", 1, true))
    end)
  end)

  it("makes do with five rows", function()
    with_run(40, 5, function()
      wait_for "and 5 more"
      local shown = screen()
      assert.matches("\nround 1 of 2 · indepen[^\n]+\n[^\n]+thinker · [^\n]+\nand 5 more\n", shown)
      assert.truthy(wait_for("the end", "-J"):find(("The last word. "):rep(2), 1, true))
    end)
  end)

  it("gives the terminal to the shell with Ctrl-Z, and takes it again with fg", function()
    local path = program.file(COUNCIL)
    open(100, 30, "bash --norc --noprofile -i", "PS1='shell> '")
    wait_for "shell>"
    tmux("send-keys", ("%s run %s#all_sorts Why"):format(uv.exepath(), path), "Enter")
    wait_for "thinker  s-1"
    tmux("send-keys", "C-z")
    local shown = wait_for "Stopped"
    assert.is_nil(shown:find("thinker  s-1", 1, true), shown)
    assert.equal("1", tmux("display-message", "-p", "#{cursor_flag}"):sub(1, 1))
    tmux("send-keys", "fg", "Enter")
    wait_for "thinker  s-1"
    shown = wait_for "partial "
    tmux("kill-server")
    os.remove(path)
    assert.matches("Stopped.-\nshell> fg\n", shown)
    assert.is_nil(shown:find("answering", 1, true))
  end)

  it("lends the terminal to a question, and shows afterwards what has happened meanwhile", function()
    local path = program.file(ASKING)
    open(60, 20, ("%s lua %s"):format(uv.exepath(), path))
    wait_for "ann  m"
    local shown = wait_for "allow it?"
    assert.is_nil(shown:find("ann  m", 1, true), shown)
    assert.equal("1", tmux("display-message", "-p", "#{cursor_flag}"):sub(1, 1))
    shown = wait_for "the end"
    tmux "kill-server"
    os.remove(path)
    assert.matches("✓ ann  m · done.-\n  Words that come one by one.\n\n", shown)
    assert.matches("the first: yes\n.*the second: no\n", shown)
    assert.is_nil(shown:find("allow it", 1, true), shown)
  end)

  it("paints in sixteen colours, or in none", function()
    with_run(100, 30, function()
      local shown = wait_for("calls clock", "-e")
      assert.truthy(shown:find("\27[31m✗", 1, true), shown)
      for parameters in shown:gmatch("\27%[([%d;]*)m") do assert.is_nil(parameters:find("[34]8")) end
    end)
    with_run(100, 30, function()
      assert.is_nil(wait_for("calls clock", "-e"):find("\27[3", 1, true))
    end, "NO_COLOR=1")
  end)
end)
