local program = require "spec.cli.program"

describe("curia repl", function()
  it("loads a file first, and says when it cannot", function()
    local path = program.file "loaded = 6"
    local code, out = program.run({ "repl", path }, { stdin = "loaded * 7\n" })
    assert.same({ 0, "42\n" }, { code, out })
    os.remove(path)
    code, out = program.run({ "repl", "/nonexistent.lua" }, { stdin = "1\n" })
    assert.equal(1, code)
    assert.matches("cannot open /nonexistent.lua", out)
  end)

  it("says what it is with --help", function()
    local code, out = program.run { "repl", "--help" }
    assert.equal(0, code)
    assert.matches("Ctrl%-C stops what runs", out)
  end)
end)
