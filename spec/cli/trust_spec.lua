local program = require "spec.cli.program"
local uv = require "luv"

local folder, env

before_each(function()
  folder = os.tmpname()
  os.remove(folder)
  assert(uv.fs_mkdir(folder, 448))
  folder = uv.fs_realpath(folder)
  env = { XDG_STATE_HOME = folder .. "/state", XDG_CONFIG_HOME = folder .. "/config" }
end)

after_each(function() os.execute("rm -rf " .. folder) end)

local function write(text)
  local file = assert(io.open(folder .. "/curia.config.lua", "w"))
  file:write(text)
  file:close()
end

local function curia(...)
  return program.run({ ... }, { env = env, cwd = folder })
end

describe("a project's configuration", function()
  it("is named and not read until it is trusted, and again when it has changed", function()
    write 'return { default_profile = "deep" }'
    local _, out, err = curia("doctor", "--no-calls")
    assert.truthy(err:find("is not trusted and was not read; look at it, then: curia trust " .. folder, 1, true))
    assert.is_nil(out:find "default_profile")
    local code, told = curia "trust"
    assert.equal(0, code)
    assert.truthy(told:find("is trusted, as it is now", 1, true))
    _, out, err = curia("doctor", "--no-calls")
    assert.equal("", err)
    assert.matches("default_profile +deep +%(project file .*curia.config.lua%)", out)
    write 'return { default_profile = "fast" }'
    assert.truthy(select(3, curia("doctor", "--no-calls")):find("is not trusted", 1, true))
    assert.truthy(select(2, curia("trust", "--list")):find("changed since", 1, true))
    assert.equal(0, (curia("trust", "--remove")))
    assert.equal(1, (curia("trust", "--remove")))
  end)

  it("is found from the folders below it", function()
    write 'return { default_profile = "deep" }'
    curia "trust"
    uv.fs_mkdir(folder .. "/below", 448)
    local _, out = program.run({ "doctor", "--no-calls" }, { env = env, cwd = folder .. "/below" })
    assert.matches("default_profile +deep", out)
  end)

  it("gives way to the environment, and that to the command line", function()
    write 'return { linger_ms = 1000 }'
    curia "trust"
    env.CURIA_LINGER_MS = "2000"
    assert.matches("linger_ms +2000 +%(environment CURIA_LINGER_MS%)", select(2, curia("doctor", "--no-calls")))
    assert.matches("linger_ms +3000 +%(command line%)",
      select(2, curia("doctor", "--no-calls", "--config", "linger_ms=3000")))
  end)

  it("that is wrong is an error with the file and the nearest name", function()
    write 'return { defalt_profile = "deep" }'
    curia "trust"
    local code, _, err = curia("doctor", "--no-calls")
    assert.equal(1, code)
    assert.matches("project file .*: unknown field 'defalt_profile'; did you mean 'default_profile'%?", err)
    curia("trust", "--remove")
    code, _, err = curia("doctor", "--no-calls", "--config", "lingr_ms=1")
    assert.equal(1, code)
    assert.matches("did you mean 'linger_ms'", err)
  end)

  it("is named with a command that a shell takes as it is meant", function()
    local odd = folder .. "/it's; touch x"
    uv.fs_mkdir(odd, 448)
    folder = odd
    write "return {}"
    folder = odd:match "^(.*)/"
    local _, _, err = program.run({ "doctor", "--no-calls" }, { env = env, cwd = odd })
    assert.truthy(err:find("curia trust '" .. folder .. "/it'\\''s; touch x'\n", 1, true), err)
  end)

  it("cannot be given up without a home", function()
    local code, _, err = program.run({ "trust", "--remove" }, { env = { HOME = "", XDG_STATE_HOME = "" }, cwd = folder })
    assert.equal(1, code)
    assert.matches("was not trusted", err)
    assert.equal(64, (curia("trust", "--list", "--remove")))
  end)

  it("is told by variables in plain words", function()
    env.CURIA_LOG = "loud"
    local code, _, err = curia("doctor", "--no-calls")
    assert.equal(1, code)
    assert.matches("^curia: environment: log must be one of", err)
    assert.is_nil(err:find "traceback")
  end)

  it("that is not there cannot be trusted", function()
    local code, _, err = curia "trust"
    assert.equal(1, code)
    assert.matches("there is no curia.config.lua in %.", err)
    assert.equal(64, (curia("trust", "a", "b")))
  end)
end)
