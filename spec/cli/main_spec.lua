local json = require "curia.json"
local program = require "spec.cli.program"

describe("curia", function()
  it("shows what there is when nothing is asked of it", function()
    local code, out, err = program.run {}
    assert.same({ 64, "" }, { code, out })
    assert.truthy(err:find("Commands:", 1, true))
  end)

  it("helps in every way that people ask", function()
    for _, args in ipairs { { "--help" }, { "-h" }, { "help" } } do
      local code, out = program.run(args)
      assert.equal(0, code)
      assert.truthy(out:find("Commands:", 1, true))
    end
    for _, name in ipairs { "run", "check", "lua", "test", "version", "help" } do
      for _, args in ipairs { { name, "--help" }, { "help", name } } do
        local code, out = program.run(args)
        assert.equal(0, code)
        assert.equal(1, out:find("curia " .. name, 1, true))
      end
    end
  end)

  it("names the command that was meant", function()
    local code, _, err = program.run { "chekc" }
    assert.equal(64, code)
    assert.truthy(err:find("unknown command 'chekc'; did you mean 'check'?", 1, true))
    assert.equal(64, (program.run { "options" }))
    assert.equal(64, (program.run { "--frob" }))
    assert.equal(64, (program.run { "help", "nothing" }))
  end)

  it("knows its version and those beneath it", function()
    local code, out = program.run { "version" }
    assert.equal(0, code)
    assert.truthy(out:find("^curia %d+%.%d+%.%d+\n"))
    assert.truthy(out:find("\n  lua      5.4.", 1, true))
    assert.equal(out, (select(2, program.run { "--version" })))
    local versions = json.decode((select(2, program.run { "version", "--json" })))
    assert.truthy(versions.libuv:find("^%d"))
    assert.truthy(versions.libcurl:find("^%d"))
  end)
end)
