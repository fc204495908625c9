local configuration = require "curia.config"
local redact = require "curia.redact"
local registries = require "curia.registry"
local support = dofile "spec/language/support.lua"

describe("curia.config", function()
  after_each(redact.reset)

  local function new(environment)
    return configuration.new {
      registry = registries.new(), getenv = function(name) return environment and environment[name] end,
    }
  end

  it("has defaults that say so", function()
    local config = new()
    assert.equal(60000, config:get "linger_ms")
    assert.same({ attempts = 2, base_ms = 1000, max_ms = 30000 }, config:get "default_retry")
    assert.equal("continue", config:get "default_failure_mode")
    assert.is_nil(config:get "default_profile")
    assert.equal("default", config:source "linger_ms")
    assert.equal("default", config:source("providers", "openai"))
    assert.is_nil(config:source "default_profile")
  end)

  it("lets the stronger layer win, whatever came first", function()
    local config = new { CURIA_LINGER_MS = "300" }
    assert.equal(300, config:get "linger_ms")
    assert.equal("environment CURIA_LINGER_MS", config:source "linger_ms")
    assert(config:set("call", { linger_ms = 100 }))
    assert(config:set("command_line", { linger_ms = 200 }))
    assert(config:set("project", { linger_ms = 400, log = "debug" }, "project file x"))
    assert(config:set("user", { linger_ms = 500, log = "error", default_profile = "fast" }))
    assert.equal(100, config:get "linger_ms")
    assert.equal("call", config:source "linger_ms")
    assert.equal("debug", config:get "log")
    assert.equal("project file x", config:source "log")
    assert.equal("user file", config:source "default_profile")
  end)

  it("reads durations with units and numbers from variables", function()
    local config = new { CURIA_LINGER_MS = "2s", CURIA_DEFAULT_MEMBER_TIMEOUT = "1m", CURIA_LOG = "info",
      CURIA_DEFAULT_PROFILE = "" }
    assert.equal(2000, config:get "linger_ms")
    assert.equal(60000, config:get "default_member_timeout_ms")
    assert.equal("info", config:get "log")
    assert.is_nil(config:get "default_profile")
  end)

  it("refuses wrong variables by name", function()
    local config, err = new { CURIA_LINGER_MS = "soon" }
    assert.is_nil(config)
    assert.equal("validation", err.kind)
    assert.matches("environment: linger_ms", err.message)
  end)

  it("adds the fields of one provider up over the layers", function()
    local config = new()
    assert(config:set("project", { providers = { openai = { base_url = "http://proxy/v1" } } }))
    local openai = config:get("providers").openai
    assert.equal("http://proxy/v1", openai.base_url)
    assert.equal("openai_chat", openai.adapter)
    assert.equal("env OPENAI_API_KEY", tostring(openai.api_key))
    assert.equal("project file", config:source("providers", "openai"))
    assert.equal("default", config:source("providers", "anthropic"))
    assert.equal("http://proxy/v1", config.registry:lookup("provider", "openai").base_url)
    assert.equal("https://api.openai.com/v1", require("curia.data.providers").openai.base_url)
  end)

  it("replaces the other entries whole", function()
    local config = new()
    assert(config:set("user", {
      profiles = { fast = { model = "groq/x" } }, prices = { m = { input = 1, output = 2 } },
    }))
    assert.same({ model = "groq/x" }, config.registry:lookup("profile", "fast"))
    assert.is_table(config.registry:lookup("profile", "deep"))
    assert.same({ input = 1, output = 2 }, config:get("prices").m)
  end)

  it("takes prices as the table of prices has them, and names what a price lacks", function()
    local config = new()
    assert(config:set("call", { prices = { m = { input = 1, output = 2, cached = 0.1, cache_write = 3,
      long = { over = 1000, input = 2, output = 4 } } } }))
    assert.equal(3, config:get("prices").m.cache_write)
    local _, err = config:set("call", { prices = { m = { input = 1 }, n = { input = 1, output = 2, long = { input = 1 } } } })
    assert.same({ ["prices.m.output"] = "missing", ["prices.n.long.over"] = "missing",
      ["prices.n.long.output"] = "missing" }, support.codes(err.context.faults))
  end)

  it("adds one call to another", function()
    local config = new()
    assert(config:set("call", { log = "debug" }))
    assert(config:set("call", { linger_ms = "5s" }))
    assert.equal("debug", config:get "log")
    assert.equal(5000, config:get "linger_ms")
  end)

  it("names unknown keys, wrong types and all faults at once", function()
    local config = new()
    local ok, err = config:set("call", { default_profil = "x", linger_ms = "x", providers = { p = { adaptor = "x" } } })
    assert.is_nil(ok)
    assert.equal("validation", err.kind)
    assert.equal([[call: 3 faults
  unknown field 'default_profil'; did you mean 'default_profile'?
  linger_ms: expected milliseconds or a text such as "1500ms", "30s", "2m", "1h", "30d"
  unknown field 'adaptor' of 'p' in providers; did you mean 'adapter'?]], err.message)
    assert.same({
      default_profil = "unknown_field", linger_ms = "wrong_type", ["providers.p.adaptor"] = "unknown_field",
    }, support.codes(err.context.faults))
    assert.equal(60000, config:get "linger_ms")
  end)

  it("names no more faults than can be read", function()
    local values = {}
    for i = 1, 30 do values["key_" .. i] = i end
    local _, err = new():set("call", values)
    local lines = select(2, err.message:gsub("\n", ""))
    assert.equal(21, lines)
    assert.matches("^call: 30 faults\n  unknown field 'key_1'\n.*\n  and 10 more$", err.message)
  end)

  it("raises for misuse", function()
    local config = new()
    assert.error_matches(function() config:get "linger" end,
      "unknown configuration key 'linger'; did you mean 'linger_ms'?", 1, true)
    assert.error_matches(function() config:source "linger" end, "did you mean")
    assert.error_matches(function() config:set("cal", {}) end, "no layer 'cal'; did you mean 'call'?", 1, true)
    assert.error_matches(function() config:set("call", "x") end, "a table expected")
  end)

  it("marks keys in the code and hides them", function()
    local config = new()
    assert(config:set("call", { providers = { mine = { adapter = "openai_chat", api_key = "sk-in-the-code-123" } } }))
    local key = config:get("providers").mine.api_key
    assert.equal("literal", key.source)
    assert.equal("a key in the code", tostring(key))
    assert.equal("[secret]", redact.text "sk-in-the-code-123")
  end)

  it("explains every value and its source, in order", function()
    local config = new { CURIA_LOG = "info" }
    local rows, by_key = config:explain(), {}
    for i, row in ipairs(rows) do
      by_key[row.key] = row
      if i > 1 then assert.is_true(rows[i - 1].key < row.key) end
    end
    assert.same({ key = "log", value = "info", source = "environment CURIA_LOG" }, by_key.log)
    assert.equal("openai_chat", by_key["providers.openai"].value.adapter)
    assert.equal("gpt-5-mini", by_key["profiles.openai.fast"].value.model)
  end)

  it("tells caches that something has changed", function()
    local config = new()
    local before = config.registry.generation
    assert(config:set("call", { default_profile = "fast" }))
    assert.is_true(config.registry.generation > before)
  end)

  describe("files", function()
    local directory

    before_each(function()
      directory = os.tmpname()
      os.remove(directory)
      assert(os.execute("mkdir '" .. directory .. "'"))
    end)

    after_each(function() os.execute("rm -r '" .. directory .. "'") end)

    local function write(text)
      local handle = assert(io.open(directory .. "/" .. configuration.FILE, "w"))
      handle:write(text)
      handle:close()
    end

    it("run only where the folder is trusted", function()
      write "return { log = 'debug' }"
      local config, path = new(), directory .. "/curia.config.lua"
      assert.same({ loaded = {}, untrusted = { path } }, config:load_files { project = directory, user = "/nowhere" })
      assert.equal("warn", config:get "log")
      assert.same({ loaded = { path }, untrusted = {} }, config:load_files {
        project = directory, user = "/nowhere", trust = function(asked, text)
          write "error 'changed after it was judged'"
          return asked == path and text == "return { log = 'debug' }"
        end,
      })
      assert.equal("debug", config:get "log")
      assert.equal("project file " .. path, config:source "log")
    end)

    it("of the user need no trust, and may use secrets", function()
      write [[return { providers = { mine = { adapter = "openai_chat", api_key = env "MINE_KEY" } } }]]
      local config = new()
      assert(config:load_files { user = directory })
      assert.equal("env MINE_KEY", tostring(config:get("providers").mine.api_key))
    end)

    it("are errors when they are wrong", function()
      local config = new()
      for text, pattern in pairs {
        ["return {"] = "curia.config.lua:1:", ["error 'boom'"] = "boom", ["return 7"] = "returned a number",
        [""] = "returned nothing", ["return { lgo = 'x' }"] = "did you mean 'log'",
      } do
        write(text)
        local ok, err = config:load_files { user = directory }
        assert.is_nil(ok)
        assert.matches(pattern, err.message)
        assert.matches(directory, err.message, 1, true)
      end
    end)

    it("are told which keys come with later versions", function()
      write "return { redis = 'sqlite', log = 'info', bus = {} }"
      local ok, err = new():load_files { user = directory }
      assert.is_nil(ok)
      assert.equal("unsupported", err.kind)
      assert.matches("not part of this version: redis, bus", err.message)
    end)

    it("say how the runs of dead processes are looked for", function()
      write "return { sweep = { enabled = false, every = '5s' } }"
      local conf = new()
      assert(conf:load_files { user = directory })
      assert.same({ enabled = false, every_ms = 5000 }, conf:get "sweep")
    end)

    it("may be absent", function()
      assert.same({ loaded = {}, untrusted = {} }, new():load_files { user = directory, project = "/nowhere" })
    end)
  end)

  it("finds the user's directory", function()
    support.with_env({ XDG_CONFIG_HOME = "/xdg", HOME = "/home/u" }, function()
      assert.equal("/xdg/curia", configuration.user_directory())
    end)
    support.with_env({ XDG_CONFIG_HOME = "", HOME = "/home/u" }, function()
      assert.equal("/home/u/.config/curia", configuration.user_directory())
    end)
    support.with_env({ XDG_CONFIG_HOME = false, HOME = false }, function()
      assert.is_nil(configuration.user_directory())
    end)
  end)
end)
