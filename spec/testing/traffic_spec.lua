local redact = require "curia.redact"
local traffic = require "curia.testing.traffic"

local function request(body, query)
  return traffic.request("p", { method = "POST", path = "/x", body = body, query = query or {} })
end

describe("a recorded request", function()
  it("is equal to one that says the same, whatever the order of its keys", function()
    assert.equal(traffic.key(request '{"a":1,"b":2}'), traffic.key(request '{"b":2,"a":1}'))
    assert.not_equal(traffic.key(request '{"a":1}'), traffic.key(request '{"a":2}'))
  end)

  it("loses keys in its address, and what is known as a secret", function()
    redact.add "sk-known-secret-1"
    local made = request('{"a":"sk-known-secret-1"}', { key = "abc", alt = "sse" })
    redact.reset()
    assert.same({ alt = "sse" }, made.query)
    assert.equal("[secret]", made.body.a)
  end)

  it("differs from another in words", function()
    local lines, count = traffic.differences(request '{"a":1,"list":[{"x":"old"}],"same":0}',
      request '{"a":2,"list":[{"x":"new"}],"same":0,"more":true}')
    assert.equal(3, count)
    assert.same({ "body.a: 1 instead of 2", 'body.list[1].x: "old" instead of "new"', "body.more: nothing instead of true" },
      lines)
  end)

  it("that cannot be read is an error with its line", function()
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write '{"a":1}\nno JSON\n'
    file:close()
    local exchanges, err = traffic.read(path)
    os.remove(path)
    assert.is_nil(exchanges)
    assert.matches(":2: ", err.message)
  end)
end)
