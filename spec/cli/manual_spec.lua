local fields = require "curia.language.fields"
local manual = require "curia.cli.manual"
local markdown = require "curia.cli.markdown"
local rounds = require "curia.language.rounds"
local topologies = require "curia.topologies"

local TEXT = [[
# Title

## First part

Words.

### `vote`

```lua
## no heading
```

### Other thing, order

| Option | What it says |
|---|---|
| `judge`, `"both"` | More. |

## Last
]]

-- `timeout_ms` is explained with `timeout`.
local function names_of(rules)
  local names = {}
  for name in pairs(rules) do
    if not rules[name:match "^(.*)_ms$"] then names[#names + 1] = name end
  end
  return names
end

local known = {}
for _, name in ipairs(manual.names()) do known[name] = true end

local function assert_explained(names)
  for _, name in ipairs(names) do assert.is_true(known[name], name .. " is not in docs/language.md") end
end

describe("the manual's sections", function()
  it("end where the next begins, and name what they explain", function()
    local sections = manual.sections(TEXT)
    local names = {}
    for i, section in ipairs(sections) do names[i] = table.concat(section.names, " ") end
    assert.same({ "first-part", "vote", "other-thing order", "last" }, names)
    assert.equal("## First part\n\nWords.\n", sections[1].text)
    assert.equal("### `vote`\n\n```lua\n## no heading\n```\n", sections[2].text)
    assert.same({ judge = true, both = true }, sections[3].words)
    assert.equal("## Last\n", sections[4].text)
  end)

  it("are found by name, as people write it", function()
    assert.matches("^## Decision rules", manual.topic "decision-rules")
    assert.equal(manual.topic "decision-rules", manual.topic "Decision rules")
    assert.is_nil(manual.topic "no such topic")
  end)

  it("are all shown where a word stands in several headings", function()
    local text = manual.topic "run"
    assert.matches("a member in plain Lua", text, 1, true)
  end)

  it("are found by the words of their tables too", function()
    assert.matches("^### debate", manual.topic "challenger")
  end)

  it("tell of a chapter what is in it", function()
    assert.matches("More %(curia help NAME%): independent_analysis, peer_review", manual.topic "rounds")
  end)

  it("have a table of contents, chapter by chapter", function()
    assert.matches("\nDecision rules\n  weights, .- plurality,", manual.contents())
  end)

  it("fit into a hundred columns, without fences", function()
    for line in markdown.plain(manual.text(), 100):gmatch "[^\n]+" do
      assert.is_true(utf8.len(line) <= 100, line)
      assert.is_nil(line:find("```", 1, true))
    end
  end)
end)

describe("the manual explains", function()
  for _, what in ipairs { "council", "member", "chair", "round", "profile", "tool", "provider", "budget", "retry",
    "limits", "config", "run_options", "group" } do
    local names = names_of(fields[what])
    it("every field of a " .. what, function() assert_explained(names) end)
  end

  it("every round, rule, strategy and topology", function()
    assert_explained(rounds.shipped)
    assert_explained(fields.rules)
    assert_explained(fields.member.confidence.known)
    assert_explained(topologies.names)
  end)

  it("every option of the shipped rounds", function()
    for _, name in ipairs(rounds.shipped) do
      assert_explained(names_of(require("curia.rounds." .. name).options or {}))
    end
  end)
end)
