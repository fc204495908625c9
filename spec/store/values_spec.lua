local json = require "curia.json"
local redact = require "curia.redact"
local values = require "curia.store.values"

local LONG = ("long text "):rep(200)

local function round_trip(value)
  local encoded = assert(values.encode(value))
  local contents = {}
  for i = 1, #encoded.parts, 2 do contents[encoded.parts[i]] = encoded.parts[i + 1] end
  return values.decode(encoded.bytes, function(hash) return contents[hash] end), encoded
end

describe("a stored value", function()
  it("comes back as it was", function()
    for _, value in ipairs {
      1, "text", true, json.null, json.array(), {}, { a = { b = json.array { 1, 2.5, json.null } } },
      { long = LONG, list = { LONG, "short", { LONG } } }, { ["$blob"] = "x" },
      { ["$object"] = { ["$blob"] = LONG } }, LONG,
    } do
      local back = round_trip(value)
      assert.equal(json.encode(value), json.encode(back))
    end
  end)

  it("has each long text once, under the hash of its content", function()
    local _, encoded = round_trip { a = LONG, b = { LONG } }
    assert.is_true(#encoded.bytes < 300)
    assert.equal(encoded.parts[1], encoded.parts[3])
    assert.same({ encoded.parts[1], encoded.parts[3] }, values.hashes(encoded.bytes))
    assert.same({}, values.hashes '{"a":1}')
  end)

  it("has equal bytes for equal values", function()
    assert.equal(values.encode({ b = 1, a = LONG }).bytes, values.encode({ a = LONG, b = 1 }).bytes)
  end)

  it("is not written again where it stands in another one", function()
    local answer, fragments = { content = ("short "):rep(60) }, {}
    local round = { results = { a = answer } }
    local first = values.encode({ answer, round, { ["$blob"] = 1 } }, nil, fragments)
    assert.equal(json.encode(answer), fragments[answer])
    assert.same(first, values.encode({ answer, round, { ["$blob"] = 1 } }, nil, fragments))
    fragments[answer] = '"told apart"'
    assert.equal('["told apart"]', values.encode({ answer }, nil, fragments).bytes)
  end)

  it("has its long texts where it is first written", function()
    local answer, fragments = { content = ("short "):rep(60), raw = LONG }, {}
    local first = values.encode({ answer }, nil, fragments)
    local again = values.encode({ answer, { answer } }, nil, fragments)
    assert.equal(LONG, first.parts[2])
    assert.equal(values.encode({ answer, { answer } }).bytes, again.bytes)
    assert.same({}, again.parts)
  end)

  it("is written again where it is nested too deeply to be the same", function()
    local deep, fragments = { text = ("x"):rep(300) }, {}
    for _ = 1, 70 do deep = { deep } end
    values.encode(deep, nil, fragments)
    assert.is_nil(next(fragments))
    assert(values.encode({ deep[1][1][1][1][1][1][1][1][1][1] }, nil, fragments))
    assert.is_not_nil(next(fragments))
    for _ = 1, 70 do deep = { deep } end
    assert.equal("validation", select(2, values.encode(deep, nil, fragments)).kind)
  end)

  it("whose content is gone is an error", function()
    local value, err = values.decode(values.encode({ LONG }).bytes, function() end)
    assert.is_nil(value)
    assert.same({ "storage", "missing_blob" }, { err.kind, err.code })
    assert.equal("validation", select(2, values.decode("{", function() end)).kind)
  end)

  it("loses its secrets, but no word that happens to be one", function()
    redact.add "test"
    redact.add "sk-long-secret-key"
    local said = "run the test with sk-long-secret-key"
    local masked, found = values.mask(values.encode { said, said .. LONG })
    assert.same({ true, false, false }, { found, select(2, values.mask(masked)), select(2, values.mask(values.encode(LONG))) })
    redact.reset()
    local value = values.decode(masked.bytes, function(hash) return hash == masked.parts[1] and masked.parts[2] end)
    assert.same({ "run the test with [secret]", "run the test with [secret]" .. LONG }, value)
  end)

  it("must be one that JSON has a form for", function()
    local encoded, err = values.encode { f = print }
    assert.is_nil(encoded)
    assert.equal("validation", err.kind)
  end)
end)
