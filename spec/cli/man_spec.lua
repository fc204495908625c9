local man = require "curia.cli.man"
local program = require "spec.cli.program"

describe("the man page", function()
  it("has every command with its options", function()
    local page = man.page()
    for _, name in ipairs { ".SS run", ".SS repl", ".SS doctor", "\\-\\-approve", ".SH ENVIRONMENT" } do
      assert.truthy(page:find(name, 1, true), name)
    end
    assert.equal(page, (select(2, program.run { "help", "--man" })))
  end)

  it("is one that mandoc has nothing against", function()
    if not os.execute "command -v mandoc >/dev/null 2>&1" then return pending "there is no mandoc here" end
    local path = program.file(man.page(), ".1")
    local _, out = program.command("mandoc", { "-T", "lint", "-W", "warning", path })
    os.remove(path)
    assert.equal("", (out:gsub("[^\n]*missing date[^\n]*\n", "")))
  end)
end)
