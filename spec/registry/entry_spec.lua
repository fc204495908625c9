local council = require "curia.council"
local curia = require "curia"
local entry = require "curia.registry.entry"
local json = require "curia.json"
local registries = require "curia.registry"
local secrets = require "curia.language.secrets"

-- Through JSON, as a backend keeps it.
local function there_and_back(kind, name, value)
  local data = assert(entry.encode(kind, name, value))
  data = assert(json.decode(assert(json.encode(data))))
  return entry.decode { kind = kind, name = name, value = data, schema_version = entry.SCHEMA_VERSION }
end

local function refusal_of(fields)
  local registry = registries.new()
  registry:share { [fields.kind] = { [fields.name] = entry.decode(fields) } }
  local value, message = registry:lookup(fields.kind, fields.name)
  assert.is_nil(value)
  return message
end

describe("what a shared registry keeps", function()
  it("gives data back as it was", function()
    local profile = { model = "a/b", temperature = 0.5, stop = { "x", "y" }, extra = { deep = { n = 1 } } }
    assert.same(profile, there_and_back("profile", "p", profile))
    local schema = { type = "object", properties = { a = { type = "string" } }, required = json.array {} }
    local again = there_and_back("schema", "s", schema)
    assert.is_true(json.is_array(again.required))
    assert.equal("string", again.properties.a.type)
    assert.same({ module = "m", name = "n" }, there_and_back("rule", "r", { module = "m", name = "n" }))
  end)

  it("keeps where a key comes from, never the key", function()
    local provider = there_and_back("provider", "p", {
      adapter = "openai_chat", api_key = curia.env("A_KEY", "B_KEY"), headers = { ["X-Token"] = curia.file "~/token" },
    })
    assert.is_true(secrets.is(provider.api_key))
    assert.equal("env A_KEY or B_KEY", tostring(provider.api_key))
    assert.equal("file ~/token", tostring(provider.headers["X-Token"]))
  end)

  it("refuses secrets, and names what to write in their place", function()
    local refused = {
      { api_key = "sk-plain-text-0001" }, { api_key = function() return "k" end },
      { api_key = secrets.wrap "sk-wrapped-text-0001" }, { headers = { Authorization = "Bearer xyz" } },
      { base_url = "https://user:pass@models.example/v1" },
    }
    for _, provider in ipairs(refused) do
      local data, err = entry.encode("provider", "p", provider)
      assert.is_nil(data)
      assert.same({ "validation", "secret" }, { err.kind, err.code })
      assert.matches('env "NAME" or file "PATH"', err.message)
    end
    local _, err = entry.encode("profile", "p", { extra = { user = "sk-wrapped-text-0001" } })
    assert.equal("secret", err.code)
    assert.is_nil(err.message:find("sk-wrapped", 1, true))
  end)

  it("refuses what is no data, and says where it stands", function()
    local cycle = {}
    cycle.cycle = cycle
    local refused = {
      ["tools[1].run: a function is code"] = { tools = { { run = print } } }, ["extra.file: an object"] =
        { extra = { file = setmetatable({}, {}) } }, ["$secret"] = { extra = { ["$secret"] = 1 } },
      ["deep in tables"] = { extra = cycle }, ["extra"] = { extra = io.stdout }, ["is code"] = { key = curia.cmd "ls" },
    }
    for pattern, value in pairs(refused) do
      local data, err = entry.encode("profile", "p", value)
      assert.is_nil(data)
      assert.equal("validation", err.kind)
      assert.matches(pattern, err.message, 1, true)
    end
    assert.equal("not_serializable", select(2, entry.encode("function", "f", print)).code)
  end)

  it("keeps councils in their data form", function()
    local body = { members = { { id = "a", profile = "fast" } }, rounds = { { type = "critique" } } }
    for _, given in ipairs { curia.council "duo" (body), body } do
      local again = there_and_back("council", "duo", given)
      assert.is_true(council.is(again))
      assert.same({ "duo", "a", "critique" }, { again.name, again:spec().members[1].id, again:spec().rounds[1].type })
    end
    local _, err = entry.encode("council", "own", curia.council "own" { run = function() return 1 end })
    assert.same({ "validation", "not_serializable" }, { err.kind, err.code })
    _, err = entry.encode("council", "own", { members = { { id = "a", run = print } } })
    assert.equal("not_serializable", err.code)
  end)

  it("reads nothing that a newer version has written", function()
    local message = refusal_of { kind = "profile", name = "p", value = {}, schema_version = 2 }
    assert.matches("profile 'p'.*newer version.*schema_version 2; this one knows 1", message)
    message = refusal_of {
      kind = "council", name = "c", value = { name = "c", schema_version = 9, members = {} }, schema_version = 1,
    }
    assert.matches("schema_version 9 is newer", message)
  end)

  it("says what is wrong with an entry that is none", function()
    local function message(kind, value, fault)
      return refusal_of { kind = kind, name = "x", value = value, fault = fault, schema_version = 1 }
    end
    assert.matches("profile 'x'.*cannot be read: a profile cannot be a string", message("profile", "text"))
    assert.matches("a rule is a function, or", message("rule", { 1 }))
    assert.matches("no council", message("council", 3))
    assert.matches("a secret comes from", message("provider", { api_key = { ["$secret"] = { cmd = "rm" } } }))
    assert.matches("bad argument", message("provider", { api_key = { ["$secret"] = { env = { 1 } } } }))
    assert.matches("cannot be read: damaged", message("profile", nil, "damaged"))
  end)
end)
