local ask = require "curia.cli.ask"
local program = require "spec.cli.program"

describe("asking at the terminal", function()
  it("is possible only where there is one", function()
    assert.is_boolean(ask.possible())
    local path = program.file 'print(require "curia.cli.ask".possible())'
    assert.equal("false\n", (select(2, program.run { "lua", path })))
    os.remove(path)
  end)
end)
