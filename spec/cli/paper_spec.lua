local paper = require "curia.cli.paper"
local program = require "spec.cli.program"
local terminal = require "spec.tmux"

local SHOW = [[
local paper = require "curia.cli.paper".open()
paper:write(("%s %s "):format(paper.columns, paper.paint.bold "é") .. "\n")]]

describe("standard output", function()
  it("is no terminal in a pipe: no columns, no colours, every character", function()
    local path = program.file(SHOW)
    local _, out = program.run({ "lua", path }, { env = { LC_ALL = "C" } })
    os.remove(path)
    assert.equal("nil é \n", out)
    assert.is_function(paper.open().write)
  end)

  local with_tmux = terminal.found and it or pending
  with_tmux("is as wide as its terminal, whose characters it keeps to", function()
    local path = program.file(SHOW)
    local command = ("LC_ALL=C NO_COLOR=1 %s lua %s"):format(require "spec.helper".program, path)
    terminal.open(70, 10, command)
    local shown = terminal.wait_for "the end"
    terminal.close()
    os.remove(path)
    assert.matches("^70 %?\n", shown)
  end)
end)
