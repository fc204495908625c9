local manual = require "curia.cli.manual"

local TEXT = [[
# Title

## First part

Words.

### `vote`

```lua
## no heading
```

### Other thing

More.

## Last
]]

describe("the manual's sections", function()
  it("end where the next of the same level or a higher one begins", function()
    local sections = manual.sections(TEXT)
    local names = {}
    for i, section in ipairs(sections) do names[i] = section.name end
    assert.same({ "first-part", "vote", "other-thing", "last" }, names)
    assert.matches("More.", sections[1].text, 1, true)
    assert.equal("### `vote`\n\n```lua\n## no heading\n```\n", sections[2].text)
    assert.equal("## Last\n", sections[4].text)
  end)

  it("are found by name, as people write it", function()
    assert.matches("^## Councils", manual.topic "councils")
    assert.equal(manual.topic "councils", manual.topic "Councils")
    assert.is_nil(manual.topic "no such topic")
  end)
end)
