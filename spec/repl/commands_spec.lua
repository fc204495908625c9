local commands = require "curia.repl.commands"

describe("the commands of the REPL", function()
  it("have a name, a usage that begins with it, and a line about them", function()
    for _, name in ipairs(commands.names()) do
      local command = commands.all[name]
      assert.equal(":" .. name, command.usage:match "^:%a+")
      assert.is_true(#command.about > 5)
    end
  end)

  it("are told from Lua", function()
    assert.is_true(commands.is ":runs")
    assert.is_true(commands.is "  :load x.lua")
    assert.is_false(commands.is "::label::")
    assert.is_false(commands.is "x:y()")
  end)
end)
