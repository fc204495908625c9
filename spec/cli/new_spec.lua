local helper = require "spec.helper"
local library = require "curia.cli.library"
local program = require "spec.cli.program"
local uv = require "luv"

local folder

before_each(function()
  folder = os.tmpname()
  os.remove(folder)
  assert(uv.fs_mkdir(folder, 448))
end)

after_each(function() os.execute("rm -rf " .. folder) end)

local function curia(...)
  return program.run({ ... }, { cwd = folder, env = { XDG_CONFIG_HOME = folder } })
end

describe("curia new", function()
  it("writes a council that is right and runs, and says what to do next", function()
    local code, out = curia("new", "advisor")
    assert.equal(0, code)
    assert.truthy(out:find("curia check advisor.lua", 1, true))
    assert.equal(0, (curia("check", "advisor.lua")))
    assert.equal(0, (curia("run", "advisor.lua", "Ship?", "--offline", "--quiet")))
  end)

  it("overwrites nothing", function()
    curia("new", "advisor.lua")
    local code, _, err = curia("new", "advisor")
    assert.equal(1, code)
    assert.truthy(err:find("advisor.lua is there already; nothing was written", 1, true))
    curia("new", "whole", "--project")
    assert.equal(1, (curia("new", "whole", "--project")))
  end)

  it("starts from any council that comes with Curia", function()
    for _, entry in ipairs(library.list()) do
      local name = "my_" .. entry.name
      assert.equal(0, (curia("new", name, "--template", entry.name)), entry.name)
      assert.equal(0, (curia("check", name .. ".lua")), entry.name)
    end
    local code, _, err = curia("new", "x", "--template", "panl")
    assert.equal(64, code)
    assert.matches("did you mean 'panel'", err)
  end)

  it("writes a project whose spec passes", function()
    local code, out = curia("new", "house", "--project")
    assert.equal(0, code, out)
    local _, told = program.command(helper.program, { "test" }, { cwd = folder .. "/house" })
    assert.matches("2 successes / 0 failures", told)
    assert.equal("file", uv.fs_stat(folder .. "/house/curia.config.lua").type)
  end)

  it("wants a name that a council can have", function()
    assert.equal(64, (curia "new"))
    assert.equal(64, (curia("new", "two words")))
    assert.equal(64, (curia("new", "../x")))
  end)
end)
