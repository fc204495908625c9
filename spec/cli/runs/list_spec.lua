local json = require "curia.json"
local support = require "spec.cli.runs.support"
local terminal = require "spec.tmux"

local folder

before_each(function() folder = support.open() end)
after_each(function() folder.remove() end)

describe("the list of runs", function()
  it("keeps to status, council, time and number", function()
    folder.run("run", folder.council, "One?", "-q")
    folder.run("run", folder.council, "Two?", "-q", "--offline")
    local function questions(...)
      local _, out = folder.run("runs", "list", "--json", ...)
      local found = {}
      for i, row in ipairs(json.decode(out)) do found[i] = row.input.question end
      return found
    end
    assert.same({ "Two?", "One?" }, questions())
    assert.same({ "Two?" }, questions("--limit", "1"))
    assert.same({ "Two?", "One?" }, questions("--since", "1h", "--status", "completed", "--council", "mixed"))
    assert.same({}, questions("--since", "0s"))
    assert.same({}, questions("--status", "failed"))
    assert.same({}, questions("--council", "other"))
    local _, out = folder.run("runs", "list")
    assert.matches("\toffline\tTwo%?\n.*\t%$0.5000\tOne%?\n$", out)
  end)

  local with_tmux = terminal.found and it or pending
  with_tmux("has two lines for each run on a terminal, and what they cost together", function()
    folder.run("run", folder.council, ("Is this a long question? "):rep(10), "-q")
    terminal.open(80, 20, ("CURIA_STORE=%s %s runs"):format(folder.url "runs.db", require "spec.helper".program))
    local shown = terminal.wait_for "the end"
    terminal.close()
    assert.matches("^%x[%x-]+  %d%d %a+ %d%d:%d%d UTC  completed  %$0.5000\n  mixed: Is this a long[^\n]+…\n1 run, %$0.5000\n", shown)
  end)
end)
