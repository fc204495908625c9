local folders = require "curia.folders"
local uv = require "luv"

describe("folders", function()
  it("are made with all above them, for the user alone", function()
    local name = os.tmpname()
    os.remove(name)
    folders.make(name .. "/a/b")
    assert.equal("directory", uv.fs_stat(name .. "/a/b").type)
    assert.equal(448, uv.fs_stat(name .. "/a").mode & 511)
    os.execute("rm -rf " .. name)
  end)

  it("are where the user has put data, or in the home", function()
    assert.truthy(folders.data():find "/curia$")
  end)

  it("are found from below", function()
    assert.equal(uv.cwd(), folders.find_up "CMakeLists.txt")
    assert.is_nil(folders.find_up "no file has this name")
  end)
end)
