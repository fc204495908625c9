local redact = require "curia.redact"
local secrets = require "curia.language.secrets"
local support = dofile "spec/language/support.lua"

describe("curia.language.secrets", function()
  before_each(redact.reset)
  after_each(redact.reset)

  local function resolve(key, opts)
    return secrets.resolve({ name = "vendor", api_key = key }, opts)
  end

  it("reads a variable, the first that is set, and remembers it as a secret", function()
    support.with_env({ CURIA_SPEC_A = "", CURIA_SPEC_B = " sk-from-the-environment \n" }, function()
      assert.equal("sk-from-the-environment", resolve(secrets.env("CURIA_SPEC_A", "CURIA_SPEC_B")))
      assert.equal("key: [secret]", redact.text("key: sk-from-the-environment"))
    end)
  end)

  it("has what costs nothing to look up masked before it is used", function()
    local asked = 0
    local function ask()
      asked = asked + 1
      return "sk-from-a-function"
    end
    support.with_env({ CURIA_SPEC_A = "sk-from-the-environment", CURIA_SPEC_B = "sk-from-the-header" }, function()
      secrets.learn { name = "vendor", api_key = secrets.env "CURIA_SPEC_A",
        headers = { ["x-key"] = secrets.env "CURIA_SPEC_B", accept = "application/json" } }
      secrets.learn { name = "other", api_key = secrets.wrap(ask) }
      secrets.learn { name = "bare", api_key = ask }
      secrets.learn { name = "text", api_key = "sk-in-the-code" }
      secrets.learn { name = "none" }
    end)
    assert.equal("[secret], [secret], [secret], sk-from-a-function, application/json",
      redact.text "sk-from-the-environment, sk-from-the-header, sk-in-the-code, sk-from-a-function, application/json")
    assert.equal(0, asked)
  end)

  it("learns a variable once it is set", function()
    local entry = { name = "vendor", api_key = secrets.env "CURIA_SPEC_A" }
    support.with_env({ CURIA_SPEC_A = "" }, function() secrets.learn(entry) end)
    support.with_env({ CURIA_SPEC_A = "sk-set-later" }, function() secrets.learn(entry) end)
    assert.equal("[secret]", redact.text "sk-set-later")
  end)

  it("names the variable and --offline when there is none", function()
    local key, err = resolve(secrets.env("CURIA_SPEC_NONE", "CURIA_SPEC_NEITHER"))
    assert.is_nil(key)
    assert.equal("auth", err.kind)
    assert.equal("vendor", err.provider)
    assert.matches("CURIA_SPEC_NONE or CURIA_SPEC_NEITHER is not set", err.message, 1, true)
    assert.matches("--offline", err.message, 1, true)
  end)

  it("names the variables of the other providers that would have done", function()
    local _, err = secrets.resolve {
      name = "v", api_key = secrets.env "CURIA_SPEC_NONE", alternatives = { "X_KEY", "Y_KEY" },
    }
    assert.matches("CURIA_SPEC_NONE is not set, nor is any of X_KEY, Y_KEY;", err.message, 1, true)
  end)

  it("needs no key where the provider needs none", function()
    local key, err = secrets.resolve { name = "local" }
    assert.is_nil(key)
    assert.is_nil(err)
  end)

  it("runs a command once, with the caller's runner", function()
    local calls, key = 0, secrets.cmd "op read op://vault/key"
    local function runner(command)
      calls = calls + 1
      assert.equal("op read op://vault/key", command)
      return "sk-from-command\n"
    end
    assert.equal("sk-from-command", resolve(key, { runner = runner }))
    assert.equal("sk-from-command", resolve(key, { runner = runner }))
    assert.equal(1, calls)
    secrets.forget { api_key = key }
    assert.equal("sk-from-command", resolve(key, { runner = runner }))
    assert.equal(2, calls)
  end)

  it("runs a command itself where nobody else does", function()
    assert.equal("sk-printed-here", resolve(secrets.cmd "printf 'sk-printed-here\\n'"))
  end)

  it("says how a command failed, and tries again the next time", function()
    local key = secrets.cmd "exit 3"
    local _, err = resolve(key)
    assert.matches("command `exit 3` failed (exit 3)", err.message, 1, true)
    assert.equal("sk-second-time", resolve(key, { runner = function() return "sk-second-time" end }))
  end)

  it("reads a file", function()
    local path = support.file "sk-from-a-file\n"
    assert.equal("sk-from-a-file", resolve(secrets.file(path)))
    local directory, name = path:match("^(.*)/([^/]+)$")
    support.with_env({ HOME = directory }, function()
      assert.equal("sk-from-a-file", resolve(secrets.file("~/" .. name)))
    end)
    os.remove(path)
    local _, err = resolve(secrets.file(path .. ".gone"))
    assert.equal("auth", err.kind)
    assert.matches(path .. ".gone", err.message, 1, true)
  end)

  it("calls a function, and takes a text but marks it", function()
    assert.equal("sk-from-a-function", resolve(function() return "sk-from-a-function" end))
    local _, err = resolve(function() return nil, "vault is sealed" end)
    assert.matches("gave no text: vault is sealed", err.message, 1, true)
    _, err = resolve(function() error("boom", 0) end)
    assert.matches("failed: boom", err.message, 1, true)
    local literal = secrets.wrap "sk-written-in-code"
    assert.equal("literal", literal.source)
    assert.equal("sk-written-in-code", resolve(literal))
    assert.equal("[secret]", redact.text "sk-written-in-code")
  end)

  it("refuses keys that would break a header", function()
    for _, bad in ipairs { "sk-one\nsk-two", "sk-\0-nul", "" } do
      local key, err = resolve(secrets.wrap(bad))
      assert.is_nil(key)
      assert.equal("auth", err.kind)
      assert.is_nil(err.message:find("sk-", 1, true))
    end
  end)

  it("prints sources, never values", function()
    assert.equal("env OPENAI_API_KEY", tostring(secrets.env "OPENAI_API_KEY"))
    assert.equal("env A or B", tostring(secrets.env("A", "B")))
    assert.equal("cmd op read x", tostring(secrets.cmd "op read x"))
    assert.equal("file /k", tostring(secrets.file "/k"))
    local literal = secrets.wrap "sk-written-in-code"
    assert.equal("a key in the code", tostring(literal))
    for _, value in pairs(literal) do assert.not_equal("sk-written-in-code", value) end
  end)

  it("raises for misuse", function()
    assert.error_matches(function() secrets.env() end, "bad argument #1 to 'env'")
    assert.error_matches(function() secrets.cmd {} end, "bad argument #1 to 'cmd'")
    assert.error_matches(function() secrets.file "" end, "bad argument #1 to 'file'")
  end)

  it("reveals the secrets among headers", function()
    support.with_env({ CURIA_SPEC_A = "header-secret", CURIA_SPEC_B = false }, function()
      local entry = { name = "v", headers = { plain = "x", token = secrets.env "CURIA_SPEC_A" } }
      assert.same({ plain = "x", token = "header-secret" }, secrets.headers(entry))
      entry.headers.token = secrets.env "CURIA_SPEC_B"
      local headers, err = secrets.headers(entry)
      assert.is_nil(headers)
      assert.matches("header token: CURIA_SPEC_B is not set", err.message, 1, true)
      assert.same({}, secrets.headers { name = "v" })
    end)
  end)

  it("tells whether a key can be had", function()
    support.with_env({ CURIA_SPEC_A = "x", CURIA_SPEC_B = false }, function()
      assert.is_true(secrets.available(secrets.env "CURIA_SPEC_A"))
      assert.is_false(secrets.available(secrets.env "CURIA_SPEC_B"))
      assert.is_false(secrets.available(nil))
      assert.is_false(secrets.available(secrets.file "/no/such/file"))
      assert.is_true(secrets.available(secrets.cmd "false"))
      assert.is_true(secrets.available "literal")
    end)
  end)
end)
