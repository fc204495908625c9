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
