local paper = require "spec.view.paper"
local screens = require "curia.view.screen"

local function open(columns, rows)
  local sheet = paper.new(columns or 40, rows or 10)
  return screens.new(function(text) sheet:write(text) end), sheet
end

describe("curia.view.screen", function()
  it("draws, changes, grows and shrinks", function()
    local screen, sheet = open()
    local pictures = {
      { "a", "b", "c" }, { "a", "B", "c" }, { "a", "B", "c", "d", "e" }, { "x" }, {}, { "1", "2" }, { "0", "1", "2" },
    }
    for _, picture in ipairs(pictures) do
      screen:draw(picture)
      assert.same(picture, sheet:text())
    end
  end)

  it("never erases all from the first row on, which tmux would keep in its history", function()
    local written = {}
    local screen = screens.new(function(text) written[#written + 1] = text end)
    screen:draw { "1", "2" }
    screen:draw {}
    screen:draw { "1", "2", "3" }
    screen:commit { "over" }
    screen:reflow(20)
    screen:close()
    local all = table.concat(written)
    local erased, below = select(2, all:gsub("\27%[J", "")), select(2, all:gsub("\27%[1B\r\27%[J", ""))
    assert.same({ 3, 3 }, { erased, below })
  end)

  it("writes nothing where nothing differs", function()
    local screen, sheet = open()
    screen:draw { "a", "b" }
    local writes = sheet.writes
    screen:draw { "a", "b" }
    assert.equal(writes, sheet.writes)
  end)

  it("writes only what differs", function()
    local written = {}
    local screen = screens.new(function(text) written[#written + 1] = text end)
    screen:draw { "first", "second", "third" }
    screen:draw { "first", "changed", "third" }
    assert.is_nil(written[#written]:find("first", 1, true))
    assert.truthy(written[#written]:find("changed", 1, true))
    assert.is_nil(written[#written]:find("third", 1, true))
  end)

  it("lends the terminal with nothing of its own on it, and takes it over below", function()
    local screen, sheet = open()
    screen:draw { "a", "b" }
    screen:lend()
    assert.is_true(sheet.cursor and sheet.wrap)
    sheet:write("allow? y\r\n")
    screen:retake()
    screen:draw { "c" }
    assert.is_false(sheet.cursor)
    assert.same({ "allow? y", "c" }, sheet:text())
  end)

  it("lets what is over stand above", function()
    local screen, sheet = open()
    screen:draw { "live 1", "live 2" }
    screen:commit { "done 1", "done 2", "done 3" }
    assert.same({ "done 1", "done 2", "done 3", "live 1", "live 2" }, sheet:text())
    screen:draw { "live 1", "live 3" }
    screen:draw {}
    screen:commit { "done 4" }
    assert.same({ "done 1", "done 2", "done 3", "done 4" }, sheet:text())
  end)

  it("scrolls at the bottom of the terminal", function()
    local screen, sheet = open(20, 4)
    for i = 1, 6 do
      screen:draw { "live a" .. i, "live b" .. i }
      screen:commit { "done " .. i }
    end
    assert.same({ "done 1", "done 2", "done 3", "done 4", "done 5", "done 6", "live a6", "live b6" }, sheet:text())
  end)

  it("survives any sequence of pictures", function()
    local screen, sheet = open(20, 6)
    local committed, state = {}, 7
    local function random(n)
      state = (state * 1103515245 + 12345) % 2147483648
      return state // 65536 % n
    end
    for i = 1, 120 do
      local picture = {}
      for j = 1, random(6) do picture[j] = "line " .. random(3) end
      screen:draw(picture)
      if random(4) == 0 then
        committed[#committed + 1] = "done " .. i
        screen:commit { committed[#committed] }
      end
      local expected = table.move(picture, 1, #picture, #committed + 1, { table.unpack(committed) })
      assert.same(expected, sheet:text())
    end
  end)

  it("erases lines that a narrower terminal has broken", function()
    local screen, sheet = open(40, 20)
    screen:commit { "above" }
    screen:draw { ("x"):rep(30), "\27[21Gbeside", "short" }
    -- What a terminal of 20 columns makes of them, with the cursor still before "short".
    local narrow = paper.new(20, 20)
    narrow:write("above\r\n" .. ("x"):rep(20) .. "\r\n" .. ("x"):rep(10) .. "\r\n\r\nbeside\r\nshort\r")
    sheet.lines, sheet.row, sheet.column, sheet.columns, sheet.top = narrow.lines, narrow.row, 1, 20, 1
    screen:reflow(20)
    assert.same({ "above" }, sheet:text())
    screen:draw { "new" }
    assert.same({ "above", "new" }, sheet:text())
  end)

  it("hides the cursor meanwhile and brings it back, once", function()
    local screen, sheet = open()
    assert.is_false(sheet.cursor)
    screen:draw { "live" }
    screen:close()
    assert.same({}, sheet:text())
    assert.is_true(sheet.cursor)
    assert.is_true(sheet.wrap)
    local writes = sheet.writes
    screen:close()
    assert.equal(writes, sheet.writes)
  end)
end)
