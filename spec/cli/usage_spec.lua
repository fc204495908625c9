local commands = require "curia.cli.commands"
local usage = require "curia.cli.usage"

describe("curia.cli.commands", function()
  it("has a module and a line for each command", function()
    for _, command in ipairs(commands.list) do
      assert.equal(command, commands.by_name[command.name])
      assert.is_function(require("curia.cli." .. command.name).main, command.name)
      assert.equal(1, command.usage:find("curia " .. command.name, 1, true))
    end
  end)

  it("has options that the parser understands", function()
    for _, command in ipairs(commands.list) do
      for _, option in ipairs(command.options) do
        assert.is_string(option.doc, option[1])
        assert.is_true(option.value ~= nil or not (option.convert or option.optional), option[1])
      end
    end
  end)

  it("uses the exit code of wrong usage", function()
    assert.equal(64, usage.CODE)
  end)
end)
