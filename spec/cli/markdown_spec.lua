local markdown = require "curia.cli.markdown"

local function plain(lines, columns)
  return markdown.plain(table.concat(lines, "\n") .. "\n", columns or 40)
end

describe("Markdown on a terminal", function()
  it("has code indented and no fences", function()
    assert.equal("Words.\n\n    a = 1\n\n    | b\nMore.\n",
      plain { "Words.", "", "```lua", "a = 1", "", "| b", "```", "More." })
  end)

  it("has the words of links, but of no code", function()
    assert.equal("See the manual (there).\n\n    a[1](x)\n",
      plain { "See the [manual](language.md#rounds) (there).", "", "```lua", "a[1](x)", "```" })
  end)

  it("has tables in columns, the last one broken at the width", function()
    assert.equal(table.concat({
      "Rule    Who wins",
      "`mean`  the highest mean of all scores",
      "        that were given",
      "",
    }, "\n"), plain { "| Rule | Who wins |", "|---|---|", "| `mean` | the highest mean of all scores that were given |" })
  end)

  it("keeps a bar inside of code, and empty cells", function()
    assert.equal("`a | b`  x\n         y\n", plain { "| `a | b` | x |", "| | y |" })
  end)
end)
