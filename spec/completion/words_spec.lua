local words = require "curia.completion.words"

describe("what can be completed", function()
  it("is every command with its options and its argument", function()
    local by_name = {}
    for _, command in ipairs(words.commands()) do by_name[command.name] = command end
    assert.same({ "council", "topic", "folder" }, { by_name.run.argument, by_name.help.argument, by_name.trust.argument })
    local options = {}
    for _, option in ipairs(by_name.run.options) do options[option.flags[1]] = option end
    assert.same({ "--input", "-i" }, options["--input"].flags)
    assert.equal("file", options["--input"].takes)
    assert.same({ "ask", "all", "none" }, options["--approve"].words)
    assert.is_nil(options["--offline"].takes)
    assert.is_nil(options["--verbose"].takes) -- its value is behind a =, if there is one
    assert.is_not_nil(options["--help"])
  end)
end)
