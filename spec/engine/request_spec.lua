local requests = require "curia.engine.request"

local function request(built, member, ctx)
  member = member or {}
  member.id = "a"
  return requests.of { run = { id = "r" }, round = { name = "first" }, member = member, ctx = ctx or { input = { question = "Why?" } },
    build = function() return built end }
end

local function texts(...)
  local list = {}
  for i, message in ipairs(request(...).messages) do list[i] = message.role .. ":" .. message.content end
  return list
end

describe("a request", function()
  it("holds a text, an input, or messages as they are", function()
    assert.same({ "user:Why?" }, texts "Why?")
    assert.same({ "user:Why?" }, texts { question = "Why?" })
    assert.same({ "user:u", "assistant:v" }, texts { { role = "user", content = "u" }, { role = "assistant", content = "v" } })
  end)

  it("has the member's system prompt in front, unless the messages bring one", function()
    assert.same({ "system:s", "user:Why?" }, texts("Why?", { system = "s" }))
    assert.same({ "user:Why?" }, texts("Why?", { system = "" }))
    assert.same({ "system:s", "user:u" }, texts({ { role = "user", content = "u" } }, { system = "s" }))
    assert.same({ "system:own", "user:u" }, texts({ { role = "system", content = "own" }, { role = "user", content = "u" } },
      { system = "s" }))
  end)

  it("says where it belongs and what the member is asked with", function()
    local member = { model = "m", temperature = 0.5, stop = "END", provider_name = "acme" }
    local made = request("Why?", member)
    assert.same({ "r", "first", "a", "acme", "m", 0.5 }, { made.run_id, made.round, made.member, made.provider, made.model,
      made.temperature })
    assert.same({ "END" }, made.stop)
    made.model = "other"
    assert.equal("m", request("Why?", member).model)
  end)

  it("changes no messages that it is given", function()
    local given = { { role = "user", content = "u" } }
    request(given, { system = "s" })
    assert.equal(1, #given)
  end)

  it("is an error where nothing was built", function()
    local made, err = request(nil)
    assert.is_nil(made)
    assert.equal("script", err.kind)
    made, err = requests.of { round = { name = "first" }, member = {}, ctx = {} }
    assert.is_nil(made)
    assert.matches("round first has no build function", err.message)
  end)
end)

describe("a request for a structured answer", function()
  local SCHEMA = { type = "object" }

  local function member(able, ...)
    local fallback = {}
    for i, other in ipairs { ... } do fallback[i] = { adapter = { capabilities = { json_schema = other } } } end
    return { adapter = { capabilities = { json_schema = able } }, fallback = fallback }
  end

  -- Whether the request carries the schema, and what it says.
  local function asked(schema, ...)
    local made = request "Why?"
    requests.ask_for(made, schema, member(...))
    assert.is_true(made.schema == schema or made.schema == nil)
    return { made.schema ~= nil, made.messages[#made.messages].content }
  end

  it("carries the schema; the prompt says it where a provider cannot be told", function()
    local array = { type = "array" }
    local function told(schema) return "Why?\n\n" .. require("curia.prompts").schema(schema) end
    assert.same({ true, "Why?" }, asked(SCHEMA, true))
    assert.same({ true, "Why?" }, asked(SCHEMA, "object"))
    assert.same({ true, "Why?" }, asked(array, true, true))
    assert.same({ false, told(SCHEMA) }, asked(SCHEMA, false))
    assert.same({ false, told(array) }, asked(array, "object"))
    assert.same({ true, told(SCHEMA) }, asked(SCHEMA, true, false))
  end)

  it("says it in a message of its own where the last one is no text of the user's", function()
    for _, last in ipairs { { role = "assistant", content = "x" }, { role = "user", content = { { type = "text", text = "x" } } } } do
      local made = request { { role = "user", content = "u" }, last }
      requests.ask_for(made, SCHEMA, { adapter = {} })
      assert.equal(3, #made.messages)
      assert.same({ "user", last }, { made.messages[3].role, made.messages[2] })
    end
  end)

  it("is followed up by the same with a longer history", function()
    local made = request("Why?", { model = "m" })
    made.schema = SCHEMA
    local parts = { adapter = "x" }
    local next_one = requests.follow_up(made, { content = "no", provider_parts = parts }, "Again.")
    assert.same({ { role = "user", content = "Why?" }, { role = "assistant", content = "no", provider_parts = parts },
      { role = "user", content = "Again." } }, next_one.messages)
    assert.same({ "m", "r", "first", SCHEMA, false }, { next_one.model, next_one.run_id, next_one.round, next_one.schema, next_one.plain })
    assert.same({ 1, true }, { #made.messages, made.plain })
  end)
end)
