local curia = require "curia"
local helper = require "spec.helper"
local node = require "curia.recovery.node"
local S = require "spec.durable.support"
local shared = require "curia.store.shared"
local stores = require "curia.store"
local support = require "spec.recovery.support"
local uv = require "luv"

local place, store

before_each(function()
  place = S.place()
  store = assert(shared.configured())
end)

after_each(function()
  node.leave(store)
  place.close()
end)

local function incarnations()
  local found = {}
  for i, row in ipairs(store:query "SELECT incarnation FROM {nodes} ORDER BY started_at") do found[i] = row.incarnation end
  return found
end

describe("a node", function()
  it("is one process for all who ask, and alive", function()
    local here = assert(node.current(store))
    assert.equal(here, node.current(store))
    assert.is_true(node.is_alive(store, here.incarnation))
    assert.same({ here.incarnation }, incarnations())
    assert.is_false(node.is_alive(store, "one that never was"))
  end)

  it("has the name that is configured, else the host's, for all processes that follow each other", function()
    assert.equal(uv.os_gethostname(), node.current(store).node_id)
    node.leave(store)
    curia.config { node_id = "blue-1" }
    local first = node.current(store)
    node.leave(store)
    local second = node.current(store)
    curia.config { node_id = uv.os_gethostname() }
    assert.same({ "blue-1", "blue-1" }, { first.node_id, second.node_id })
    assert.are_not.equal(first.incarnation, second.incarnation)
  end)

  it("is seen to be alive by another process, and to be dead when it was killed", function()
    local here = assert(node.current(store))
    local said = helper.script(([[
      local store = require "curia.store.shared".of(%q)
      print(require "curia.recovery.node".is_alive(store, %q))
    ]]):format(place.url, here.incarnation))
    assert.equal("true\n", said)
    support.leave_behind(place.url)
    local dead = store:query("SELECT incarnation FROM {runs}")[1].incarnation
    assert.is_false(node.is_alive(store, dead))
    assert(node.tidy(store))
    helper.settle(function() return #incarnations() == 1 end)
    assert.same({ here.incarnation }, incarnations())
  end)

  it("is alive for who opens the store by a link, also when its process is elsewhere by then", function()
    local link, cwd = place.folder.path "link.db", uv.cwd()
    assert(uv.fs_symlink(place.folder.path "runs.db", link))
    assert(uv.chdir(place.folder.path ""))
    local own = assert(stores.open "sqlite:link.db")
    assert(uv.chdir(cwd))
    local here = assert(node.current(own))
    local said = helper.script(([[
      local store = require "curia.store.shared".of(%q)
      print(require "curia.recovery.node".is_alive(store, %q))
    ]]):format(place.url, here.incarnation))
    node.leave(own)
    own:close()
    assert.equal("true\n", said)
  end)

  it("is alive again when its file was taken away, once it has looked", function()
    local here = assert(node.current(store))
    local function alive_for_others()
      return helper.script(([[
        local store = require "curia.store.shared".of(%q)
        print(require "curia.recovery.node".is_alive(store, %q))
      ]]):format(place.url, here.incarnation))
    end
    assert(os.remove(place.folder.path("runs.db.nodes/" .. here.incarnation)))
    assert.equal("false\n", alive_for_others())
    assert(store:execute "DELETE FROM {nodes}")
    assert.is_true(node.keep(store))
    assert.equal("true\n", alive_for_others())
    assert.same({ here.incarnation }, incarnations())
    assert.is_true(node.keep(store))
  end)

  it("is gone when it leaves", function()
    local here = assert(node.current(store))
    node.leave(store)
    assert.is_false(node.is_alive(store, here.incarnation))
    assert.same({}, incarnations())
    assert.are_not.equal(here.incarnation, assert(node.current(store)).incarnation)
  end)

  it("is never taken for dead by who cannot look at its lock", function()
    local here = assert(node.current(store))
    local folder = place.folder.path "runs.db.nodes"
    local function file(incarnation) return folder .. "/" .. incarnation end
    assert(uv.fs_symlink("itself", file "itself")) -- leads nowhere, for ever
    assert.is_true(node.is_alive(store, "itself"))
    assert(uv.fs_mkdir(file "folder", 493)) -- cannot be opened to be locked
    assert.is_true(node.is_alive(store, "folder"))
    assert.is_false(node.is_alive(store, "gone"))
    support.leave_behind(place.url)
    local dead = store:query("SELECT incarnation FROM {runs}")[1].incarnation
    assert(os.remove(file(dead)))
    assert(uv.fs_symlink(dead, file(dead)))
    local sweep = require "curia.recovery.sweep".sweep
    assert.same({ resumed = 0, restarted = 0, failed = 0, skipped = 0 }, sweep())
    assert(os.remove(file(dead)))
    assert.equal(1, sweep { resolve_policy = function() return "fail" end }.failed)
    assert.is_true(node.is_alive(store, here.incarnation))
  end)
end)
