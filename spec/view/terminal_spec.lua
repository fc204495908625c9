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
    assert.is_false(suits { TERM = "xterm", LANG = "C.UTF-8", NO_COLOR = "1" })
    assert.is_true(suits { TERM = "xterm", LANG = "C.UTF-8", NO_COLOR = "" })
    assert.is_false(suits { TERM = "xterm", LANG = "C" })
    assert.is_false(suits { TERM = "xterm", LC_ALL = "POSIX", LANG = "C.UTF-8" })
    assert.is_false(suits { TERM = "xterm", LC_CTYPE = "de_DE.ISO-8859-1", LANG = "C.UTF-8" })
  end)

  it("knows no width where there is no terminal", function()
    if not require "curia.core.system".isatty(1) then assert.is_nil(terminal.columns(1)) end
  end)
end)
