local clock = require "curia.core.clock"
local config = require "curia.config"
local prune = require "curia.store.prune"
local shared = require "curia.store.shared"
local sqlite = require "curia.registry.sqlite"
local support = require "spec.recorder.support"
local task = require "curia.task"

local folder

before_each(function() folder = support.open() end)
after_each(function() support.close(folder) end)

describe("a registry in a database", function()
  it("keeps entries, and outlives the process", function()
    local registry = sqlite.at()
    assert.same({}, registry.all())
    assert.is_true(registry.put("profile", "a", { text = ("long "):rep(300) }, 1))
    assert.is_true(registry.put("profile", "a", { model = "2", text = ("long "):rep(300) }, 1))
    shared.close()
    local entry = registry.get("profile", "a")
    assert.same({ "profile", "a", 1, "2", 1500 },
      { entry.kind, entry.name, entry.schema_version, entry.value.model, #entry.value.text })
    assert.is_nil(registry.get("profile", "b"))
    assert.same({ entry }, registry.all())
  end)

  it("tells by its version that something has changed: also that something is gone", function()
    local registry, versions = sqlite.at(), {}
    local function changed()
      local version = registry.version()
      local is_new = not versions[version]
      versions[version] = true
      return is_new
    end
    assert.is_true(changed())
    assert.is_false(changed())
    registry.put("profile", "a", {}, 1)
    assert.is_true(changed())
    registry.put("profile", "a", {}, 1)
    assert.is_true(changed())
    assert.is_true(registry.delete("profile", "a"))
    assert.is_true(changed())
    assert.is_false(registry.delete("profile", "a"))
    registry.put("profile", "a", {}, 1)
    assert.is_true(registry.reset())
    assert.same({}, registry.all())
    assert.is_true(changed())
  end)

  it("keeps its long texts when old runs are pruned", function()
    local registry = sqlite.at()
    registry.put("profile", "a", { text = ("long "):rep(300) }, 1)
    support.recorded()
    task.sleep(2)
    local pruned = assert(prune.ended(assert(shared.configured()), clock.wall_ms()))
    assert.equal(1, pruned.runs)
    assert.equal(1500, #registry.get("profile", "a").value.text)
  end)

  it("has one of its own in each namespace and store", function()
    local here, there = sqlite.at(), sqlite.at(folder.url "other.db", "mine_")
    here.put("profile", "a", { n = 1 }, 1)
    there.put("profile", "b", { n = 2 }, 1)
    assert.equal("b", there.all()[1].name)
    assert.equal(1, #here.all())
    local version = here.version()
    assert(config.shared():set("call", { namespace = "tenant" }))
    assert.same({}, here.all())
    here.put("profile", "c", {}, 1)
    here.reset()
    assert(config.shared():set("call", { namespace = "default" }))
    assert.equal("a", here.all()[1].name)
    assert.equal(version, here.version())
  end)

  it("tells of a damaged row, and gives the others", function()
    local registry = sqlite.at()
    registry.put("profile", "a", { n = 1 }, 1)
    registry.put("profile", "b", { n = 2 }, 1)
    local store = assert(shared.configured())
    assert(store:execute "UPDATE {registry} SET value = CAST('{\"n\":' AS BLOB) WHERE name = 'a'")
    local by_name = {}
    for _, entry in ipairs(registry.all()) do by_name[entry.name] = entry end
    assert.is_nil(by_name.a.value)
    assert.is_string(by_name.a.fault)
    assert.same({ n = 2 }, by_name.b.value)
    assert.is_nil(by_name.b.fault)
  end)

  it("keeps what is sealed, and gives an error where the store cannot be opened", function()
    local function turned(bytes) return bytes:reverse() end
    assert(config.shared():set("call", { at_rest = { seal = turned, unseal = turned } }))
    local registry = sqlite.at()
    registry.put("profile", "a", { model = "hidden" }, 1)
    assert.equal("hidden", registry.get("profile", "a").value.model)
    local store = assert(shared.configured())
    assert.is_nil(store:query("SELECT value FROM {registry}")[1].value:find("hidden", 1, true))
    local nothing, err = sqlite.at(folder.url "none/a.db").all()
    assert.is_nil(nothing)
    assert.equal("storage", err.kind)
  end)
end)
