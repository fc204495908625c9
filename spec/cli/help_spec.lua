local commands = require "curia.cli.commands"
local help = require "curia.cli.help"
local width = require "curia.view.width"

describe("curia.cli.help", function()
  it("teaches by examples first", function()
    local text = help.text()
    assert.is_true(text:find("Examples:", 1, true) < text:find("Commands:", 1, true))
    for _, command in ipairs(commands.list) do assert.truthy(text:find("\n  " .. command.name, 1, true)) end
  end)

  it("tells every option of every command", function()
    for _, command in ipairs(commands.list) do
      local text = help.text(command.name)
      assert.truthy(text:find(command.usage, 1, true))
      for _, option in ipairs(command.options) do assert.truthy(text:find("--" .. option[1], 1, true), option[1]) end
    end
  end)

  it("tells the exit codes of what works on stored runs", function()
    for _, name in ipairs { "run", "resume", "runs", "approve", "recover", "worker", "jobs", "workflow" } do
      assert.truthy(help.text(name):find("\nExit codes: ", 1, true), name)
    end
  end)

  it("has topics, and says which was meant", function()
    assert.truthy(help.text("councils"):find("llm_council", 1, true))
    assert.truthy(help.text("language"):find("schulze", 1, true))
    assert.truthy(help.text("keys"):find("OPENAI_API_KEY", 1, true))
    assert.equal("unknown topic 'counclis'; did you mean 'councils'?", select(2, help.text("counclis")))
  end)

  it("fits a terminal of the usual width, but for examples", function()
    for _, name in ipairs { "councils", "keys", "language", "run", "check", "diagram", "estimate", "lua", "test",
      "version", "help", "resume", "runs", "approve", "recover", "worker", "jobs", "workflow" } do
      for line in help.text(name):gmatch("[^\n]*") do
        assert.is_true(width.columns(line) <= 80 or line:find("^  curia") ~= nil, line)
      end
    end
  end)
end)
