local library = require "curia.cli.library"
local uv = require "luv"

describe("curia.cli.library", function()
  it("finds files by path and councils by name", function()
    assert.equal("councils/panel.lua", library.find("councils/panel.lua"))
    assert.equal("councils/panel.lua", library.find("panel"))
    assert.equal("councils/panel.lua#panel", library.find("councils/panel.lua#panel"))
  end)

  it("looks here, beside an installed program, and in the tree it was built in", function()
    assert.same({ "councils", "/usr/share/curia/councils", "/councils" }, library.folders("/usr/bin/curia"))
    assert.equal("/src/councils", library.folders("/src/build/release/bin/curia")[3])
  end)

  it("finds a name in the folder that is nearest", function()
    local folder = uv.fs_mkdtemp("/tmp/curia-library-XXXXXX")
    local handle = assert(io.open(folder .. "/panel.lua", "w"))
    handle:write('council "panel" { about = "of my own" }')
    handle:close()
    assert.equal(folder .. "/panel.lua", library.find("panel", { folder, "councils" }))
    assert.equal("councils/critic.lua", library.find("critic", { folder, "councils" }))
    local own = library.list({ folder, "councils" })
    os.remove(folder .. "/panel.lua")
    uv.fs_rmdir(folder)
    for _, entry in ipairs(own) do
      if entry.name == "panel" then assert.equal("of my own", entry.about) end
    end
  end)

  it("says what was meant", function()
    local _, err = library.find("panle")
    assert.truthy(err.message:find("did you mean 'panel'?", 1, true))
    assert.equal("not_found", err.code)
    assert.equal("./nowhere.lua: there is no such file", select(2, library.find("./nowhere.lua")).message)
  end)

  it("lists what comes with Curia, each with a line about it", function()
    local names = {}
    for _, entry in ipairs(library.list { "councils" }) do
      names[#names + 1] = entry.name
      assert.truthy(#entry.about > 10, entry.name)
    end
    assert.same({
      "best_of", "consensus", "critic", "debate", "free_form", "jury", "llm_council", "mixture_of_agents", "panel",
      "peer_review", "red_team", "self_consistency", "specialist", "tournament", "voting", "weighted_consensus",
    }, names)
  end)

  it("loads", function()
    assert.equal("panel", library.load("panel").name)
    assert.equal("not_found", select(2, library.load("nowhere")).code)
  end)
end)
