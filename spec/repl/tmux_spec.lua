-- The REPL in a real terminal.
local helper = require "spec.helper"
local program = require "spec.cli.program"
local terminal = require "spec.tmux"

local SLOW = [[
curia.config { providers = { slow = { adapter = "scripted", script = { content = "slow words", delay_ms = 700 } } } }
council "never" { run = function(ctx) ctx:sleep(1e9) end }
council "slowly" { member "a" { provider = "slow", model = "m" }, round "independent_analysis" {} }
]]

local type, press, wait_for = terminal.type, terminal.press, terminal.wait_for

local function enter(text)
  type(text)
  press "Enter"
end

-- In a REPL with the council above; its history is its own.
local function with_repl(fn)
  local path, state = program.file(SLOW), os.tmpname()
  os.remove(state)
  terminal.open(80, 24, ("%s repl %s"):format(helper.program, path), "XDG_STATE_HOME=" .. state)
  local ok, err = pcall(function()
    wait_for "Ctrl-D ends."
    fn(state)
  end)
  terminal.close()
  os.remove(path)
  os.execute("rm -rf " .. state)
  if not ok then error(err, 0) end
end

describe("the REPL in tmux #tmux", function()
  if not terminal.found then
    return pending("there is no tmux here (./install --dev brings it)")
  end

  it("shows values, keeps variables and goes on over lines", function()
    with_repl(function()
      enter "local x = 41"
      enter "x + 1"
      wait_for "\n42\n"
      enter "function twice(a)"
      wait_for "\n>>"
      enter "return a * 2"
      enter "end"
      enter "twice(_)"
      wait_for "\n84\n"
      enter "x ="
      press "C-c"
      enter "nothing.there"
      wait_for "error: repl:1: attempt to index a nil value (global 'nothing')"
    end)
  end)

  it("lets runs go on, and reports their end above what is being typed", function()
    with_repl(function()
      enter 'run = curia.start("slowly", "q")'
      type "y = 'typed wh"
      wait_for "[slowly completed: slow words]\n> y = 'typed wh\n"
      enter "ile ä 漢字'"
      enter "y"
      wait_for '\n"typed while ä 漢字"\n'
    end)
  end)

  it("stops with Ctrl-C what waits and what holds the loop, and lives on", function()
    with_repl(function()
      enter 'print("be" .. "gun") curia.run("never", "q")'
      wait_for "begun"
      press "C-c"
      wait_for "cancelled: "
      for i, endless in ipairs { "while true do end", "pcall(function() while true do end end)" } do
        enter(("print('hold' .. 'ing %d') %s"):format(i, endless))
        wait_for("holding " .. i)
        press "C-c"
        wait_for "interrupted at repl:1"
        press "C-l"
      end
      enter "'alive'"
      wait_for '\n"alive"\n'
    end)
  end)

  it("completes names, fields, councils and commands", function()
    with_repl(function()
      type "curia.telem"
      press "Tab"
      wait_for "> curia.telemetry"
      press "C-c"
      type ":diag"
      press "Tab"
      type " slo"
      press "Tab"
      press "Enter"
      wait_for "slow/m"
    end)
  end)

  it("ends with Ctrl-D, cancels what runs, and gives the terminal back", function()
    with_repl(function(state)
      enter 'curia.start("slowly", "q")'
      press "C-d"
      local shown = wait_for "the end"
      assert.truthy(shown:find("cancelling 1 run", 1, true))
      local file = assert(io.open(state .. "/curia/history"))
      assert.truthy(file:read "a":find('curia.start("slowly", "q")', 1, true))
      file:close()
    end)
  end)
end)
