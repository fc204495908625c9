local environment = require "curia.doctor.environment"
local system = require "curia.core.system"

describe("the doctor's look at the environment", function()
  it("tells which keys are set, not what they are", function()
    system.setenv("OPENAI_API_KEY", "sk-a-secret-value")
    local found
    for _, fact in ipairs(environment.keys()) do
      if fact.name == "OPENAI_API_KEY" then found = fact end
      assert.is_nil(fact.value:find "secret")
    end
    system.setenv("OPENAI_API_KEY", nil)
    assert.same({ name = "OPENAI_API_KEY", value = "set", good = true }, found)
  end)

  it("tells versions, certificates and the terminal", function()
    local names = {}
    for _, fact in ipairs(environment.surroundings()) do names[fact.name] = fact.value end
    for _, name in ipairs { "Curia", "lua", "libuv", "libcurl", "certificates", "terminal" } do
      assert.is_string(names[name], name)
    end
  end)

  it("tells which variables of Curia's are set, not to what", function()
    system.setenv("CURIA_STOER", "k-1234567")
    system.setenv("CURIA_TEAM_KEY", "k-1234567")
    local found = {}
    for _, fact in ipairs(environment.surroundings()) do
      found[fact.name] = fact
      assert.is_nil(fact.value:find("k-1234567", 1, true))
    end
    system.setenv("CURIA_STOER", nil)
    system.setenv("CURIA_TEAM_KEY", nil)
    assert.same({ false, "is none of Curia's" }, { found.CURIA_STOER.good, found.CURIA_TEAM_KEY.value })
    assert.is_nil(found.CURIA_TEAM_KEY.good)
  end)

  it("tells addresses without what they hide", function()
    local config = require "curia.config".shared()
    assert(config:set("call", { providers = { hiding = {
      adapter = "openai_chat", base_url = "http://me:pa@ss@127.0.0.1:9/v1?key=k-1234&v=2",
    } } }))
    local told
    for _, row in ipairs(environment.settings()) do
      if row.key == "providers.hiding" then told = row.value end
    end
    assert.truthy(told:find("base_url = http://[secret]@127.0.0.1:9/v1?key=[secret]&v=[secret]", 1, true), told)
    system.setenv("HTTPS_PROXY", "me:hunter2@proxy:3128")
    for _, fact in ipairs(environment.surroundings()) do assert.is_nil(fact.value:find "hunter2") end
    system.setenv("HTTPS_PROXY", nil)
  end)

  it("tells the configuration that is not Curia's own, or all of it", function()
    assert.is_true(#environment.settings() < #environment.settings(true))
  end)
end)
