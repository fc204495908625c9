local width = require "curia.view.width"

describe("curia.view.width", function()
  it("counts columns: ASCII, wide, combining, joined", function()
    assert.equal(5, width.columns("hello"))
    assert.equal(0, width.columns(""))
    assert.equal(5, width.columns("naïve"))
    assert.equal(4, width.columns("日本"))
    assert.equal(1, width.columns("e\u{301}"))
    assert.equal(2, width.columns("🚀"))
    assert.equal(2, width.columns("👩\u{200d}🚀"))
    assert.equal(2, width.columns("👍\u{1f3fd}") - 2) -- a modifier that the table does not join counts by itself
    assert.equal(2, width.columns("🇩🇪"))
    assert.equal(2, width.columns("한"))
    assert.equal(1, width.columns("│"))
  end)

  it("lets no text command the terminal", function()
    assert.equal("[31mred[0m", width.clean("\27[31mred\27[0m"))
    assert.equal("ab", width.clean("a\7\8\r\127b"))
    assert.equal("a\nb", width.clean("a\r\nb"))
    assert.equal("a    b", width.clean("a\tb"))
    assert.equal("31m", width.clean("\u{9b}31m"))
    assert.equal("abc", width.clean("a\u{202e}b\u{2066}c"))
  end)

  it("says that a terminal of ASCII alone misses something", function()
    assert.equal("na?ve ?? ok\n", width.ascii("naïve 日本 ok\n"))
  end)

  it("repairs what is no UTF-8", function()
    assert.equal("a\u{FFFD}b", width.clean("a\xffb"))
    assert.equal("\u{FFFD}\u{FFFD}", width.clean("\xe2\x82"))
    assert.equal("ä\u{FFFD}", width.clean("ä\xc3"))
    assert.equal("\u{FFFD}\u{FFFD}\u{FFFD}", width.clean("\xed\xa0\x80"))
  end)

  it("keeps back a character that has not come whole", function()
    for cut = 1, #"a€🚀" do
      local head, tail = width.split_incomplete(("a€🚀"):sub(1, cut))
      assert.truthy(utf8.len(head))
      assert.equal(("a€🚀"):sub(1, cut), head .. tail)
    end
    assert.same({ "x\x80", "" }, { width.split_incomplete("x\x80") })
  end)

  it("cuts between clusters and says so", function()
    assert.equal("hello", width.cut("hello", 5))
    assert.equal("hel…", width.cut("hello", 4))
    assert.equal("日…", width.cut("日本語", 4))
    assert.equal("", width.cut("hello", 0))
    assert.equal("e\u{301}…", width.cut("e\u{301}abc", 2))
  end)

  it("fills up", function()
    assert.equal("日  ", width.pad("日", 4))
    assert.equal("long", width.pad("long", 2))
  end)

  it("breaks at blanks, and inside what is longer than a line", function()
    assert.same({ "the quick", "brown fox" }, width.wrap("the quick brown fox", 9))
    assert.same({ "abcde", "fgh" }, width.wrap("abcdefgh", 5))
    assert.same({ "ab", "cdefg", "h" }, width.wrap("ab cdefgh", 5))
    assert.same({ "a", "b" }, width.wrap("a     b", 3))
    assert.same({ "" }, width.wrap("", 5))
  end)

  it("breaks between wide characters and fills no line beyond its width", function()
    local text = "日本語のテキスト and 🚀 emoji, naïve e\u{301}"
    for columns = 2, 30 do
      for _, line in ipairs(width.wrap(text, columns)) do
        assert.is_true(width.columns(line:gsub(" +$", "")) <= columns)
      end
    end
  end)

  it("loses nothing but blanks", function()
    local text = "one two  three 四五六 seven"
    for columns = 2, 30 do
      local joined = table.concat(width.wrap(text, columns)):gsub(" ", "")
      assert.equal((text:gsub(" ", "")), joined)
    end
  end)

  it("breaks several paragraphs and indents what hangs", function()
    assert.same({ "a", "", "b c", "d" }, width.wrap_all("a\n\nb c d", 3))
    assert.same({ "one two", "  three" }, width.hang("one two three", 10, 2))
  end)
end)
