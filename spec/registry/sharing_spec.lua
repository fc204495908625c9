local config = require "curia.config"
local council = require "curia.council"
local curia = require "curia"
local helper = require "spec.helper"
local runs = require "curia.engine.runs"
local shared = require "curia.store.shared"
local sqlite = require "curia.registry.sqlite"
local support = require "spec.recorder.support"
local task = require "curia.task"
local T = require "spec.engine.support"

local folder

local function configure(values) assert(config.shared():set("call", values)) end

before_each(function()
  folder = support.open()
  configure { registry = "sqlite", registry_ttl_ms = 1000 }
end)

after_each(function()
  configure { registry = "memory", log = "warn" }
  assert(curia.registry.reset())
  support.close(folder)
end)

-- What another process does to the same registry.
local function elsewhere(change, ...)
  assert(sqlite.at()[change](...))
end

local function later(ms) task.sleep(ms) end

local DUO = { members = { { id = "a", profile = "house" }, { id = "b", profile = "house" } }, rounds = { "critique" } }

describe("a shared registry", function()
  it("takes registrations over from one process to the next", function()
    assert.is_true(curia.register("profile", "house", { provider = "test", model = "m" }))
    assert.is_true(curia.register("council", "duo", DUO))
    assert.equal("m", curia.lookup("profile", "house").model)
    configure { registry = "memory" }
    assert.is_nil(curia.lookup("profile", "house"))
    shared.close()
    configure { registry = "sqlite" }
    assert(curia.registry.refresh())
    assert.equal("m", curia.lookup("profile", "house").model)
    assert.is_true(council.is(curia.lookup("council", "duo")))
    assert.same({ "duo" }, curia.list "council")
    local result = helper.run(function() return curia.run("duo", "Why?") end)
    assert.is_true(result ~= nil)
  end)

  it("wins over the configuration, and shows it again once it is taken back", function()
    configure { profiles = { kept = { model = "configured" } } }
    curia.register("profile", "kept", { model = "registered" })
    assert.equal("registered", curia.lookup("profile", "kept").model)
    assert.is_true(curia.unregister("profile", "kept"))
    assert.equal("configured", curia.lookup("profile", "kept").model)
    assert.is_false(curia.unregister("profile", "kept"))
    assert.same({}, sqlite.at().all())
  end)

  it("takes the place of what this process had for itself", function()
    configure { registry = "memory" }
    curia.register("profile", "house", { model = "own" })
    configure { registry = "sqlite" }
    assert.equal("own", curia.lookup("profile", "house").model)
    curia.register("profile", "house", { model = "shared" })
    assert.equal("shared", curia.lookup("profile", "house").model)
  end)

  it("is another one in each namespace", function()
    curia.register("profile", "house", { model = "m" })
    configure { namespace = "tenant" }
    helper.run(function() assert.is_nil(curia.lookup("profile", "house")) end)
    configure { namespace = "default" }
    helper.run(function() assert.equal("m", curia.lookup("profile", "house").model) end)
  end)

  it("forgets everything at a reset", function()
    curia.register("profile", "house", { model = "m" })
    assert.is_true(curia.registry.reset())
    assert.is_nil(curia.lookup("profile", "house"))
    assert.same({}, sqlite.at().all())
  end)

  it("refuses what is no data, and what is a secret", function()
    local value, err = curia.register("function", "shorten", string.upper)
    assert.is_nil(value)
    assert.same({ "validation", "not_serializable" }, { err.kind, err.code })
    value, err = curia.register("provider", "house", { adapter = "openai_chat", api_key = "sk-plain-text-0002" })
    assert.is_nil(value)
    assert.same({ "validation", "secret" }, { err.kind, err.code })
    assert.is_true(curia.register("provider", "house", { adapter = "openai_chat", api_key = curia.env "HOUSE_KEY" }))
    assert.error_matches(function() curia.register("profil", "x", {}) end, "did you mean 'profile'")
    for _, misuse in ipairs {
      function() curia.register("profile", "", {}) end, function() curia.unregister("profil", "x") end,
      function() curia.unregister("profile", nil) end, function() curia.lookup("profil", "x") end,
      function() curia.registry.fetch("profile", 7) end,
    } do
      assert.matches("sharing_spec.lua:%d+: bad argument", select(2, pcall(misuse)))
    end
    assert.same({}, curia.list "function")
  end)

  it("gives the kind's code where only another process can load a module", function()
    elsewhere("put", "round", "think", { module = "sharing_spec_elsewhere", name = "think" }, 1)
    assert(curia.registry.refresh())
    local made = curia.council "c" { members = { { id = "a", provider = "test", model = "m" } }, rounds = { "think" } }
    local valid, faults = curia.validate(made)
    assert.is_nil(valid)
    assert.same({ "rounds[1].type", "unknown_round" }, { faults[1].path, faults[1].code })
    assert.matches("round 'think' cannot be loaded: module 'sharing_spec_elsewhere' not found", faults[1].message)
  end)
end)

describe("what a shared registry knows", function()
  it("is read anew before a run, a look-up or a validation, once it is older than registry_ttl_ms", function()
    helper.virtual(function()
      local reads = {
        lookup = function(name) return curia.lookup("profile", name) end,
        validate = function(name)
          return curia.validate(curia.council "c" { members = { { id = "a", profile = name } }, rounds = { "critique" } })
        end,
        start = function(name)
          local run = curia.start(curia.council "c" { members = { { id = "a", profile = name } }, rounds = { "critique" } }, "?")
          return run and run:await() and true
        end,
        estimate = function(name)
          return curia.estimate(curia.council "c" { members = { { id = "a", profile = name } }, rounds = { "critique" } })
        end,
      }
      for what, read in pairs(reads) do
        assert(curia.registry.refresh())
        elsewhere("put", "profile", what, { provider = "test", model = "m" }, 1)
        assert.is_falsy(read(what), what .. ": at once")
        later(1001)
        assert.is_truthy(read(what), what .. ": when it is old")
        elsewhere("delete", "profile", what)
        later(1001)
        assert.is_falsy(read(what), what .. ": when it is gone")
      end
    end)
  end)

  it("is asked for whole only where something has changed", function()
    local asked = { version = 0, all = 0 }
    local real = sqlite.at()
    local own = {}
    for name, fn in pairs(real) do
      own[name] = function(...)
        asked[name] = (asked[name] or 0) + 1
        return fn(...)
      end
    end
    configure { registry = own }
    helper.virtual(function()
      for _ = 1, 3 do
        curia.lookup("profile", "house")
        later(1001)
      end
      assert.same({ 3, 1 }, { asked.version, asked.all })
      elsewhere("put", "profile", "house", { model = "m" }, 1)
      assert.equal("m", curia.lookup("profile", "house").model)
      assert.equal("m", curia.lookup("profile", "house").model)
      assert.same({ 4, 2 }, { asked.version, asked.all })
    end)
  end)

  it("can be brought up to date at once, whole or by name", function()
    elsewhere("put", "profile", "house", { model = "m" }, 1)
    assert.equal("m", curia.registry.fetch("profile", "house").model)
    elsewhere("put", "profile", "other", { model = "n" }, 1)
    assert.is_nil(curia.lookup("profile", "other"))
    assert.is_true(curia.registry.refresh())
    assert.equal("n", curia.lookup("profile", "other").model)
    elsewhere("delete", "profile", "house")
    assert.is_nil(curia.registry.fetch("profile", "house"))
    assert.error_matches(function() curia.registry.fetch("profile", nil) end, "bad argument #2")
  end)

  it("stays as it is where nobody may wait", function()
    helper.run(function()
      assert(curia.registry.refresh())
      configure { registry_ttl_ms = 0 }
      elsewhere("put", "profile", "house", { model = "m" }, 1)
      local found
      table.sort({ 2, 1 }, function(a, b)
        found = curia.lookup("profile", "house")
        return a < b
      end)
      assert.is_nil(found)
      assert.equal("m", curia.lookup("profile", "house").model)
    end)
    elsewhere("delete", "profile", "house")
    assert.equal("m", curia.lookup("profile", "house").model) -- outside of any task
  end)

  it("is not read within a durable run, though it never was", function()
    local seen = {}
    local made = curia.council "durable" { run = function(ctx)
      elsewhere("put", "profile", "house", { model = "m" }, 1)
      ctx:sleep(5)
      configure { registry = { backend = "sqlite" } }
      seen[1] = curia.lookup("profile", "house") ~= nil
      return "done"
    end }
    local result = helper.run(function() return assert(curia.run(made, "?", { durability = "sync" })) end)
    assert.equal("ok", result.status)
    assert.same({ false }, seen)
    assert.is_table(helper.run(function() return curia.lookup("profile", "house") end))
  end)

  it("can be changed within a durable run", function()
    local made = curia.council "durable" { run = function() return tostring(curia.register("profile", "x", { model = "m" })) end }
    local result = helper.run(function() return curia.run(made, "?", { durability = "sync" }) end)
    assert.equal("true", result.final.content)
    assert.equal("m", sqlite.at().get("profile", "x").value.model)
  end)

  it("is read before a run is taken up again", function()
    local made = curia.council "durable" { members = { { id = "a", profile = "house" } }, rounds = { "critique" } }
    assert(curia.register("profile", "house", { provider = "test", model = "m" }))
    configure { registry = "memory" }
    assert.is_nil(curia.lookup("profile", "house"))
    configure { registry = "sqlite" }
    local row = { run_id = "r", input = { question = "?" }, durability = "sync" }
    local _, err = helper.run(function() return runs.take_up(made, row, { retry = 7 }, {}) end)
    assert.equal("validation", err.kind)
    assert.equal("m", curia.lookup("profile", "house").model)
  end)

  it("is not lost to a reading that began before", function()
    local release = task.signal()
    local rows = {}
    configure { registry = {
      put = function(kind, name, value) rows[1] = { kind = kind, name = name, value = value } return true end,
      all = function()
        local before = { rows[1] }
        if #before == 0 then release:wait() end
        return before
      end,
      get = function() end, delete = function() rows[1] = nil return true end, reset = function() end,
    } }
    helper.run(function()
      local reader = task.spawn(curia.registry.refresh)
      task.sleep(1)
      assert(curia.register("profile", "house", { model = "m" }))
      release:notify()
      reader:await()
      assert.equal("m", curia.lookup("profile", "house").model)
    end)
  end)
end)

describe("a shared registry that cannot be read", function()
  local function newer(kind, name) elsewhere("put", kind, name, { name = name }, 99) end

  it("says of an entry of a newer version that it is one, wherever it is named", function()
    for kind, name in pairs { profile = "p", provider = "v", round = "r", council = "c", tool = "t", rule = "u" } do
      newer(kind, name)
    end
    elsewhere("put", "profile", "good", { provider = "test", model = "m" }, 1)
    configure { profiles = { p = { provider = "test", model = "configured" } } }
    assert(curia.registry.refresh())
    local function fault_of(member, round, more)
      local body = { members = { member }, rounds = { round or "critique" } }
      for key, value in pairs(more or {}) do body[key] = value end
      local _, faults = curia.validate(curia.council "x" (body))
      return faults and faults[1].code .. ": " .. faults[1].message
    end
    local good = { id = "a", profile = "good" }
    assert.is_nil(fault_of(good))
    assert.matches("^unknown_profile: .*newer version", fault_of { id = "a", profile = "p" })
    assert.matches("^unknown_provider: .*newer version", fault_of { id = "a", provider = "v", model = "m" })
    assert.matches("^unknown_provider: .*newer version", fault_of { id = "a", model = "v/m" })
    assert.matches("^unknown_round: .*newer version", fault_of(good, "r"))
    assert.matches("^unknown_tool: .*newer version", fault_of(good, nil, { tools = { "t" } }))
    assert.matches("^unknown_council: .*newer version", fault_of { id = "a", council = "c" })
    assert.matches("rule.*newer version", fault_of(good, { type = "vote", rule = "u" }))
    local run, err = curia.start("c", "?")
    assert.is_nil(run)
    assert.same({ "invalid_council", "unknown_council" }, { err.kind, err.code })
    assert.matches("newer version", err.message)
    assert.error_matches(function() curia.decide("u", {}) end, "newer version")
    local _, problem = curia.registry.fetch("profile", "p")
    assert.matches("newer version", problem.message)
  end)

  it("says of a damaged entry that it is one, and gives the others", function()
    elsewhere("put", "profile", "bad", { model = "m" }, 1)
    elsewhere("put", "profile", "good", { model = "m" }, 1)
    assert(shared.configured()):execute "UPDATE {registry} SET value = CAST('{' AS BLOB) WHERE name = 'bad'"
    assert(curia.registry.refresh())
    local value, message = curia.lookup("profile", "bad")
    assert.is_nil(value)
    assert.matches("profile 'bad' in the shared registry cannot be read", message)
    assert.equal("m", curia.lookup("profile", "good").model)
    assert.is_true(curia.register("profile", "bad", { model = "again" }))
    assert.equal("again", curia.lookup("profile", "bad").model)
  end)

  it("leaves the configuration, where the backend is down from the start, and says so once", function()
    configure { registry = { backend = "sqlite", store = folder.url "none/a.db" },
      profiles = { kept = { provider = "test", model = "configured" } } }
    local lines = T.logged(function()
      helper.virtual(function()
        for _ = 1, 3 do
          assert.equal("configured", curia.lookup("profile", "kept").model)
          later(1001)
        end
        local made = curia.council "c" { members = { { id = "a", profile = "kept" } }, rounds = { "critique" } }
        assert(curia.run(made, "?"))
      end)
      for _, call in ipairs {
        function() return curia.register("profile", "x", {}) end, function() return curia.unregister("profile", "x") end,
        function() return curia.registry.refresh() end, function() return curia.registry.fetch("profile", "x") end,
        function() return curia.registry.reset() end,
      } do
        local value, err = call()
        assert.is_nil(value)
        assert.equal("storage", err.kind)
      end
    end)
    assert.equal(1, #lines)
    assert.matches("^error: the shared registry is down", lines[1])
  end)

  it("goes on with what it knows, where the backend goes down later, and says so each time that it does", function()
    local is_down
    local own = {}
    for name, fn in pairs(sqlite.at()) do
      own[name] = function(...)
        if is_down == "raises" then error "gone" end
        if is_down then return nil, "gone" end
        return fn(...)
      end
    end
    configure { registry = own }
    curia.register("profile", "house", { model = "m" })
    local lines = T.logged(function()
      for _, how in ipairs { "raises", true } do
        is_down = how
        local done, err = curia.registry.refresh()
        assert.is_nil(done)
        assert.equal("storage", err.kind)
        assert.equal("m", curia.lookup("profile", "house").model)
        assert.is_nil(curia.register("profile", "other", { model = "n" }))
        assert.is_nil(curia.lookup("profile", "other"))
        assert.is_nil(curia.unregister("profile", "house"))
        is_down = nil
        assert(curia.registry.refresh())
        assert.equal("m", curia.lookup("profile", "house").model)
      end
    end)
    assert.equal(2, #lines)
  end)

  it("is down until all of it can be read again", function()
    local own = sqlite.at()
    own.all = function() return nil, "gone" end
    configure { registry = own }
    local lines = T.logged(function()
      for _ = 1, 3 do assert.is_nil(curia.registry.refresh()) end
    end)
    assert.equal(1, #lines)
  end)

  it("never falls back on the memory, where the backend is not built in", function()
    configure { registry = "redis", log = function() end }
    local done, err = curia.register("profile", "x", {})
    assert.is_nil(done)
    assert.same({ "storage", "unknown_store" }, { err.kind, err.code })
    assert.is_nil(curia.lookup("profile", "x"))
  end)
end)

describe("a registry of the user's own", function()
  local function own()
    local rows = {}
    local function key(kind, name) return kind .. "/" .. name end
    return {
      rows = rows,
      put = function(kind, name, value, schema_version)
        task.sleep(1)
        rows[key(kind, name)] = { kind = kind, name = name, value = value, schema_version = schema_version }
      end,
      get = function(kind, name) task.sleep(1) return rows[key(kind, name)] end,
      delete = function(kind, name)
        task.sleep(1)
        local existed = rows[key(kind, name)] ~= nil
        rows[key(kind, name)] = nil
        return existed
      end,
      all = function()
        task.sleep(1)
        local list = {}
        for _, row in pairs(rows) do list[#list + 1] = row end
        return list
      end,
      reset = function() for name in pairs(rows) do rows[name] = nil end end,
    }
  end

  it("may wait", function()
    local registry = own()
    configure { registry = registry }
    helper.run(function()
      assert.is_true(curia.register("profile", "house", { provider = "test", model = "m" }))
      assert.same({ provider = "test", model = "m" }, registry.rows["profile/house"].value)
      assert.equal(1, registry.rows["profile/house"].schema_version)
      registry.rows["schema/s"] = { kind = "schema", name = "s", value = { type = "object" } }
      assert(curia.registry.refresh())
      assert.equal("object", curia.lookup("schema", "s").type)
      assert.is_true(curia.unregister("schema", "s"))
      assert.is_false(curia.unregister("schema", "s"))
      assert.equal("m", curia.registry.fetch("profile", "house").model)
      assert(curia.registry.reset())
      assert.is_nil(next(registry.rows))
    end)
  end)

  it("is down when it takes too long, or gives what is none of it", function()
    local registry = own()
    helper.virtual(function()
      for _, wrong in ipairs { function() task.sleep(1e9) end, function() return 7 end, function() end } do
        registry.all = wrong
        configure { registry = registry, log = function() end }
        local ms, done, err = T.timed(curia.registry.refresh)
        assert.is_true(ms < 20000)
        assert.is_nil(done)
        assert.equal("storage", err.kind)
      end
    end)
  end)

  it("leaves whoever is cancelled", function()
    local registry = own()
    registry.put = function() task.sleep(1e6) end
    configure { registry = registry, log = function() end }
    helper.virtual(function()
      local writer = task.spawn(curia.register, "profile", "x", {})
      task.sleep(1)
      writer:cancel "enough"
      local ok, err = writer:await()
      assert.is_false(ok)
      assert.equal("cancelled", err.kind)
    end)
  end)
end)

describe("two processes with one registry", function()
  it("see each other's registrations", function()
    curia.register("profile", "mine", { model = "m" })
    local output, code = helper.script(([[
      curia.config { store = %q, registry = "sqlite" }
      assert(curia.lookup("profile", "mine").model == "m")
      assert(curia.register("profile", "theirs", { model = "t" }))
      assert(curia.unregister("profile", "mine"))
      print "well"
    ]]):format(folder.url "runs.db"))
    assert.same({ "well\n", 0 }, { output, code })
    configure { registry_ttl_ms = 0 }
    helper.run(function()
      assert.equal("t", curia.lookup("profile", "theirs").model)
      assert.is_nil(curia.lookup("profile", "mine"))
    end)
  end)
end)
