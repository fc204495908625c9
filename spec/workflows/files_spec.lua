local curia = require "curia"
local files = require "curia.workflows.files"

local TWO = [[
council "files_panel" { member "a" { provider = "scripted", model = "m" }, round "independent_analysis" {} }
workflow "one" { step "a" { council = "files_panel" } }
workflow "two" { step "a" { approval = true } }
]]

local path

local function write(text)
  path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
  return path
end

after_each(function()
  if path then os.remove(path) end
  curia.unregister("council", "files_panel")
end)

describe("a file of workflows", function()
  it("gives the one that is named, or that it returns, or the only one", function()
    assert.equal("two", files.load(write(TWO) .. "#two").name)
    assert.equal("one", files.load(write(TWO:gsub('\nworkflow "one"', '\nreturn %0'):gsub("workflow \"two\".*", ""))).name)
    assert.equal("two", files.load(write 'workflow "two" { step "a" { approval = true } }').name)
  end)

  it("makes its councils known to its steps", function()
    files.load(write(TWO) .. "#one")
    assert.equal("files_panel", curia.lookup("council", "files_panel").name)
  end)

  it("says what is wrong: several, none, a slip, no file, a fault of Lua", function()
    local function message(text, name)
      local made, err = files.load(write(text) .. (name or ""))
      assert.is_nil(made)
      return err.message
    end
    assert.matches("declares several workflows %(one, two%): choose with .*#name", message(TWO))
    assert.matches("declares no workflow$", message "local x = 1")
    assert.matches("declares no workflow 'twoo'; did you mean 'two'?", message(TWO, "#twoo"))
    assert.matches("oh", message "error 'oh'")
    assert.equal("not_found", select(2, files.load "/nowhere.lua").code)
  end)
end)
