local terminal = require "curia.view.terminal"

local function suits(env, tty)
  return terminal.suits_live(function(name) return env[name] end, function() return tty ~= false end)
end

describe("curia.view.terminal", function()
  it("suits a picture that moves, unless something speaks against it", function()
    assert.is_true(suits { TERM = "xterm", LANG = "de_DE.UTF-8" })
    assert.is_true(suits { TERM = "xterm", LC_ALL = "", LANG = "C.utf8" })
    assert.is_true(suits { TERM = "xterm" })
    assert.is_false(suits({ TERM = "xterm", LANG = "C.UTF-8" }, false))
    assert.is_false(suits { TERM = "dumb", LANG = "C.UTF-8" })
    assert.is_false(suits { LANG = "C.UTF-8" })
    assert.is_false(suits { TERM = "unknown", LANG = "C.UTF-8" })
    assert.is_true(suits { TERM = "xterm", LANG = "C.UTF-8", NO_COLOR = "1" })
    assert.is_false(suits { TERM = "xterm", LANG = "C" })
    assert.is_false(suits { TERM = "xterm", LC_ALL = "POSIX", LANG = "C.UTF-8" })
    assert.is_false(suits { TERM = "xterm", LC_CTYPE = "de_DE.ISO-8859-1", LANG = "C.UTF-8" })
  end)

  it("is painted in colours unless somebody or the terminal has none", function()
    local function coloured(env) return terminal.coloured(function(name) return env[name] end) end
    assert.is_true(coloured { TERM = "xterm-256color" })
    assert.is_true(coloured { TERM = "linux", NO_COLOR = "" })
    assert.is_false(coloured { TERM = "xterm", NO_COLOR = "1", CLICOLOR_FORCE = "1" })
    assert.is_false(coloured { TERM = "xterm", CLICOLOR = "0" })
    assert.is_true(coloured { TERM = "vt100", CLICOLOR_FORCE = "1", CLICOLOR = "0" })
    for _, kind in ipairs { "vt100", "vt220", "xterm-mono", "screen-m" } do assert.is_false(coloured { TERM = kind }) end
    assert.is_false(coloured { TERM = "vt100", CLICOLOR_FORCE = "0" })
  end)

  it("knows no width where there is no terminal", function()
    if not require "curia.core.system".isatty(1) then assert.is_nil(terminal.columns(1)) end
  end)
end)
