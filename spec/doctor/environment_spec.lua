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

  it("tells the configuration that is not Curia's own, or all of it", function()
    assert.is_true(#environment.settings() < #environment.settings(true))
  end)
end)
