--- The scripts in the shells that they are for.
local helper = require "spec.helper"
local program = require "spec.cli.program"
local terminal = require "spec.tmux"

local PATH = helper.program:match "^(.*)/curia$" .. ":" .. os.getenv "PATH"

local function has(shell)
  return os.execute("command -v " .. shell .. " >/dev/null 2>&1") == true
end

-- Runs a script of a shell; gives its output.
local function shell(name, script)
  local code, out, err = program.command(name, { "-c", script }, { env = { PATH = PATH } })
  assert.equal(0, code, err)
  return out
end

describe("curia completion", function()
  it("asks for a shell that it knows", function()
    assert.equal(64, (program.run { "completion" }))
    local code, _, err = program.run { "completion", "fsh" }
    assert.equal(64, code)
    assert.matches("did you mean 'fish'", err)
    assert.equal(64, (program.run { "completion", "--list", "nothing" }))
  end)

  it("lists councils and topics for the scripts", function()
    local _, out = program.run { "completion", "--list", "councils" }
    assert.truthy(out:find("llm_council\n", 1, true))
    _, out = program.run { "completion", "--list", "topics" }
    assert.truthy(out:find("\nvote\n", 1, true))
    assert.truthy(out:find("\nkeys\n", 1, true))
  end)

  it("works in bash", function()
    local function complete(...)
      local words = { ... }
      for i, word in ipairs(words) do words[i] = "'" .. word .. "'" end
      return shell("bash", ([[source <(curia completion bash); COMP_WORDS=(curia %s); COMP_CWORD=%d; _curia
        printf '%%s ' "${COMPREPLY[@]}"]]):format(table.concat(words, " "), #words))
    end
    assert.equal("run runs ", complete "ru")
    assert.equal("--approve ", complete("run", "--appr"))
    assert.equal("ask all none ", complete("run", "--approve", ""))
    assert.equal("llm_council ", complete("run", "llm"))
    assert.truthy(complete("lua", "examples/fir"):find("examples/first.lua", 1, true))
    assert.equal("vote ", complete("help", "vote"))
    assert.equal(" ", complete("run", "--seed", ""))
  end)

  it("keeps a file's name together in bash, blanks and all", function()
    local path = os.tmpname() .. " two words"
    assert(io.open(path, "w")):close()
    local found = shell("bash", ([[source <(curia completion bash); COMP_WORDS=(curia lua '%s'); COMP_CWORD=2; _curia
      printf '<%%s>' "${COMPREPLY[@]}"]]):format(path:sub(1, -7)))
    os.remove(path)
    assert.equal("<" .. path .. ">", found)
  end)

  it("works in fish", function()
    if not has "fish" then return pending "there is no fish here (./install --dev brings it)" end
    local function complete(line)
      return shell("fish", ("curia completion fish | source; complete -C %q"):format(line))
    end
    assert.matches("^diagram\tdraw a council", complete "curia diagr")
    assert.matches("^%-%-approve\tcalls of tools", complete "curia run --appr")
    assert.matches("llm_council", complete "curia run llm")
  end)

  it("works in zsh #tmux", function()
    if not has "zsh" or not terminal.found then return pending "there is no zsh here (./install --dev brings it)" end
    terminal.open(100, 24, "zsh -f", "PATH='" .. PATH .. "'")
    local ok, err = pcall(function()
      terminal.type "autoload -U compinit; compinit -u -D; source <(curia completion zsh); echo re''ady"
      terminal.press "Enter"
      terminal.wait_for "\nready"
      terminal.type "curia run --appro"
      terminal.press "Tab"
      terminal.type "all llm_cou"
      terminal.press "Tab"
      terminal.wait_for "curia run --approve all llm_council"
    end)
    terminal.close()
    assert.is_true(ok, err)
  end)
end)
