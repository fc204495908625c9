local json = require "curia.json"
local mock = require "curia.mock"
local program = require "spec.cli.program"

local server

before_each(function()
  server = assert(mock.start { script = { rules = {
    { match = { model = "gpt-5.4" }, answer = { error = { status = 401, message = "Incorrect key sk-live-0123456789" } } },
  }, default = "OK" } })
end)

after_each(function() server:close() end)

local function doctor(...)
  return program.run({ "doctor", ... }, { env = {
    OPENAI_API_KEY = "sk-live-0123456789", OPENAI_BASE_URL = server.url .. "/v1", XDG_CONFIG_HOME = "/nonexistent",
    HTTPS_PROXY = "http://user:password@proxy.example:3128",
  } })
end

describe("curia doctor", function()
  it("asks each model once and says what to do about what fails", function()
    local code, out = doctor()
    assert.equal(1, code)
    assert.matches("✓ openai/gpt%-5%-mini answers in %d+ ms %(fast%)", out)
    assert.matches("✗ openai/gpt%-5%.4 %(balanced%): auth:", out)
    assert.truthy(out:find("the key of openai is wrong or missing (curia help keys)", 1, true))
  end)

  it("tells the configuration with its sources, and never a secret", function()
    local code, out, err = doctor "--no-calls"
    assert.equal(0, code, err)
    assert.matches("linger_ms +60000  %(default%)", out)
    assert.matches("✓ OPENAI_API_KEY +set", out)
    assert.matches("  ANTHROPIC_API_KEY +not set", out)
    assert.truthy(out:find("http://[secret]@proxy.example:3128", 1, true))
    for _, text in ipairs { out, select(2, doctor()), select(2, doctor "--json") } do
      assert.is_nil(text:find("0123456789", 1, true))
      assert.is_nil(text:find("password", 1, true))
    end
  end)

  it("tells programs the same as JSON", function()
    local _, out = doctor "--json"
    local report = assert(json.decode(out))
    assert.is_false(report.ok)
    assert.equal(3, #report.calls)
    assert.is_true(report.calls[1].ok)
  end)

  it("says what is missing where nobody can be asked", function()
    local code, out = program.run({ "doctor" }, { env = { XDG_CONFIG_HOME = "/nonexistent" } })
    assert.equal(1, code)
    assert.matches("✗ nobody can be asked; it needs ", out)
  end)

  it("looks at the members of a council", function()
    local path = program.file [[
      council "c" { member "x" { model = "openai/gpt-x" }, member "y" { model = "openai/gpt-x" },
        round "independent_analysis" {} }]]
    local code, out = doctor(path)
    assert.equal(0, code)
    assert.matches("✓ openai/gpt%-x answers in %d+ ms %(x, y%)", out)
    assert.equal(64, (doctor "no_such_council"))
    os.remove(path)
  end)
end)
