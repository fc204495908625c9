local variables = require "curia.language.variables"

local function described(name)
  local found = variables.set { [name] = "some text", PATH = "/bin" }
  assert.is_true(#found <= 1)
  return found[1]
end

describe("the environment's variables", function()
  it("give values to the keys that one text can express", function()
    local environment = {
      CURIA_LINGER_MS = "5m", CURIA_LOOP_STALL_MS = "70", CURIA_RECORDER = "true", CURIA_STORE = "sqlite:/a.db",
      CURIA_SWEEP = "{}", CURIA_PREFIX = "",
    }
    assert.same({ linger_ms = "5m", loop_stall_ms = 70, recorder = true, store = "sqlite:/a.db" },
      variables.values(function(name) return environment[name] end))
    assert.equal("CURIA_LINGER_MS", variables.name "linger_ms")
  end)

  it("are listed, each with what it is for", function()
    local names = {}
    for i, variable in ipairs(variables.set { CURIA_STORE = "x", CURIA_LOG = "x", HOME = "/", CURIA_LUA = "lua" }) do
      names[i] = variable.name
      assert.is_nil(variable.is_slip)
    end
    assert.same({ "CURIA_LOG", "CURIA_LUA", "CURIA_STORE" }, names)
    assert.equal("the key store", described "CURIA_STORE".about)
    assert.matches("the folder that Curia's own Lua", described "CURIA_LUA".about)
  end)

  it("are a slip when they are near to one of Curia's", function()
    for name, meant in pairs {
      CURIA_STOER = "CURIA_STORE", CURIA_LINGER = "CURIA_LINGER_MS", CURIA_DEFAULT_PROFIL = "CURIA_DEFAULT_PROFILE",
      CURIA_WATCHDOG = "CURIA_WATCHDOG_MS",
    } do
      local variable = described(name)
      assert.is_true(variable.is_slip)
      assert.equal(("is none of Curia's; did you mean %s?"):format(meant), variable.about)
    end
  end)

  it("are somebody else's when they are near to none", function()
    for _, name in ipairs { "CURIA_HOME", "CURIA_TEAM_KEY", "CURIA_PORT" } do
      assert.same({ name = name, about = "is none of Curia's", is_slip = false }, described(name))
    end
    assert.is_nil(described "CURIA_SPEC_A")
    assert.is_nil(described "CURIAL")
  end)

  it("do not reach keys of more than one text", function()
    local variable = described "CURIA_SWEEP"
    assert.is_true(variable.is_slip)
    assert.matches("the key sweep takes more than one text can say", variable.about)
  end)
end)
