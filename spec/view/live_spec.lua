local program = require "spec.cli.program"
local paper = require "spec.view.paper"
local uv = require "luv"

local SCRIPT = "/usr/bin/script"

-- Runs the program on a terminal of its own (util-linux' script makes one) and gives what the terminal got.
local function on_terminal(command, opts)
  opts = opts or {}
  local env = { TERM = "xterm", LANG = "C.UTF-8" }
  for name, value in pairs(opts.env or {}) do env[name] = value end
  local line = ("stty cols %d rows %d; exec %s %s"):format(opts.columns or 80, opts.rows or 24, uv.exepath(), command)
  local code, out = program.command(SCRIPT, { "-qec", line, "/dev/null" }, { env = env, meanwhile = opts.meanwhile })
  return code, out
end

local function seen(raw, columns, rows)
  local sheet = paper.new(columns or 80, rows or 24)
  sheet:write(raw)
  return table.concat(sheet:text(), "\n"), sheet
end

local function available()
  return uv.fs_stat(SCRIPT) ~= nil
end

local COUNCIL = [[
require("curia").config { providers = { here = { adapter = "scripted", model = "s-1", script = { rules = {
    { match = { member = "broken" }, answer = { error = { status = 401, message = "who are \27[2Jyou?" } } },
    { match = { member = "slow" }, answer = { content = "never", delay_ms = 60000 } },
  }, default = { stream = { "Words ", "that ", "come ", "one ", "by ", "one." }, chunk_delay_ms = 40 } } } } }
council "lively" { member "a" { provider = "here", stream = true }, member "%s" { provider = "here", stream = true },
  round "independent_analysis" {}, chair { provider = "here", stream = true } }
]]

local function with_council(second, fn)
  local path = program.file((COUNCIL:gsub("%%s", second)))
  local ok, err = pcall(fn, path)
  os.remove(path)
  if not ok then error(err, 0) end
end

-- The program itself, below `script`.
local function only_child(pid)
  local handle <close> = assert(io.open(("/proc/%d/task/%d/children"):format(pid, pid)))
  return assert(math.tointeger(handle:read("n")))
end

describe("curia.view.live", function()
  if not available() then return pending("there is no " .. SCRIPT .. " to make a terminal with") end

  it("shows members side by side while they answer, and keeps everything in the end", function()
    with_council("broken", function(path)
      local code, raw = on_terminal("run " .. path .. " Why")
      assert.equal(2, code)
      assert.truthy(raw:find("\27[42G", 1, true))
      assert.truthy(raw:find("Words that", 1, true))
      local text, sheet = seen(raw)
      assert.truthy(text:find("lively\nWhy\n", 1, true))
      assert.truthy(text:find("round 1 of 2 · independent_analysis · 1 of 2 answered", 1, true))
      assert.truthy(text:find("\n  Words that come one by one.\n", 1, true))
      assert.truthy(text:find("✗ broken  the key was refused: who are [2Jyou? (HTTP 401)", 1, true))
      assert.truthy(text:find("\nWords that come one by one.\n\npartial ", 1, true))
      assert.is_nil(raw:find("\27[2J", 1, true))
      assert.is_true(sheet.cursor and sheet.wrap)
    end)
  end)

  it("keeps each turn of a debate", function()
    local path = program.file [[
      council "dispute" { member "a" { provider = "scripted" }, member "b" { provider = "scripted" },
        round "independent_analysis" {}, round "debate" {}, chair { provider = "scripted" } }
    ]]
    local _, raw = on_terminal("run " .. path .. " Why --offline", { rows = 200 })
    os.remove(path)
    local text = seen(raw, 80, 200)
    assert.truthy(text:find("round 2 of 3 · debate · iteration 1 · 2 of 2 answered", 1, true))
    assert.truthy(text:find("debate · iteration 2 · 2 of 2 answered", 1, true))
  end)

  it("paints no more than twenty pictures a second", function()
    with_council("b", function(path)
      local started = uv.hrtime()
      local _, raw = on_terminal("run " .. path .. " Why")
      local seconds = (uv.hrtime() - started) / 1e9
      local _, pictures = raw:gsub("\27%[%?2026h", "")
      assert.is_true(pictures <= 20 * seconds + 12, ("%d in %.1f s"):format(pictures, seconds))
    end)
  end)

  it("brings the cursor back after Ctrl-C, and shows what there is", function()
    with_council("slow", function(path)
      local code, raw = on_terminal("run " .. path .. " Why", { meanwhile = function(child)
        while not table.concat(child.out):find("one by one", 1, true) do require "curia.task".sleep(5) end
        uv.kill(only_child(child.pid), "sigint")
      end })
      local text, sheet = seen(raw)
      assert.equal(130, code)
      assert.truthy(text:find("slow  cancelled: stopped with Ctrl-C", 1, true))
      assert.truthy(text:find("Words that come one by one.", 1, true))
      assert.is_true(sheet.cursor and sheet.wrap)
    end)
  end)

  it("marks an offline run above, in each picture and below", function()
    local _, raw = on_terminal("run panel Why --offline")
    local text = seen(raw)
    local _, marks = text:gsub("OFFLINE: scripted answers, no model was asked", "")
    assert.equal(2, marks)
  end)

  it("falls back to plain lines where the terminal or its user wants them", function()
    for _, env in ipairs { { TERM = "dumb" }, { LC_ALL = "C" } } do
      local code, raw = on_terminal("run panel Why --offline", { env = env })
      assert.equal(0, code)
      assert.is_nil(raw:find("\27", 1, true))
      assert.truthy(raw:find("round 1 of 2: independent_analysis", 1, true))
    end
  end)

  it("moves without colours where they are not wanted", function()
    local _, raw = on_terminal("run panel Why --offline", { env = { NO_COLOR = "1" } })
    assert.truthy(raw:find("\27[?25l", 1, true))
    assert.is_nil(raw:find("\27%[%d*m"))
  end)

  it("fits narrow and low terminals", function()
    with_council("b", function(path)
      for _, size in ipairs { { 40, 24 }, { 24, 10 }, { 80, 5 } } do
        local code, raw = on_terminal("run " .. path .. " Why", { columns = size[1], rows = size[2] })
        local _, sheet = seen(raw, size[1], size[2])
        assert.equal(0, code)
        assert.is_true(sheet.cursor)
      end
    end)
  end)
end)
