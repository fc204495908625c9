local data_form = require "curia.language.data_form"
local json = require "curia.json"
local support = dofile "spec/language/support.lua"

local function read(source)
  local data, faults = data_form.read(source)
  return data, support.codes(faults), faults
end

local function with_member(fields)
  fields.id = "a"
  return select(2, read { name = "c", members = { fields } })
end

-- `depth` tables in one another.
local function nest(depth)
  local value = {}
  for _ = 2, depth do value = { inner = value } end
  return value
end

describe("curia.language.data_form", function()
  it("reads JSON and tables alike, as a copy", function()
    local source = { name = "c", members = { { id = "a" } }, metadata = { list = json.array(), map = {} } }
    local data, codes = read(source)
    assert.same({}, codes)
    assert.same(source, data)
    assert.is_false(data.members == source.members)
    assert.is_true(json.is_array(data.metadata.list))
    assert.same(data, (read(assert(json.encode(source)))))
  end)

  it("takes null for a field that is not there", function()
    local data, codes = read '{"name":"c","chair":null,"metadata":{"x":null,"list":[null]}}'
    assert.same({}, codes)
    assert.is_nil(data.chair)
    assert.same({ list = { json.null } }, data.metadata)
  end)

  it("says what is no JSON, and no council", function()
    for text, message in pairs {
      ["{"] = "no JSON: .+ byte 2", ["[]"] = "a council is a JSON object", ["7"] = "a council is a JSON object", [""] = "no JSON",
    } do
      local data, codes, faults = read(text)
      assert.is_nil(data)
      assert.same({ [""] = "wrong_type" }, codes)
      assert.matches(message, faults[1].message)
    end
  end)

  it("asks for a name", function()
    assert.same({ name = "missing" }, select(2, read {}))
    assert.same({ name = "wrong_type" }, select(2, read { name = 7 }))
    for _, name in ipairs { "", "a/b", "a\nb", ("x"):rep(129) } do
      assert.same({ name = "out_of_range" }, select(2, read { name = name }))
    end
    assert.same({ ["members[1].council.name"] = "missing" }, with_member { council = {} })
  end)

  it("refuses another version, and says nothing else of it", function()
    local _, codes, faults = read { schema_version = 2, members = 7 }
    assert.same({ schema_version = "out_of_range" }, codes)
    assert.matches("2 is newer than 1", faults[1].message)
    assert.same({ schema_version = "wrong_type" }, select(2, read { schema_version = "1" }))
    assert.same({ schema_version = "out_of_range" }, select(2, read { schema_version = 0 }))
  end)

  describe("takes no code:", function()
    it("functions and other values, each with its path", function()
      local _, codes = read {
        name = "c", input = print, metadata = { deep = { x = print, y = io.stdout } },
        members = { { id = "a", system = function() end, schema = { [1] = 1, x = 1 } }, { id = "b", weight = 0 / 0 } },
        rounds = { { type = { build = print } } }, chair = setmetatable({}, { __name = "some.class" }),
      }
      assert.same({
        input = "not_serializable", ["metadata.deep.x"] = "not_serializable", ["metadata.deep.y"] = "not_serializable",
        ["members[1].system"] = "not_serializable", ["members[1].schema"] = "not_serializable",
        ["members[2].weight"] = "not_serializable", ["rounds[1].type"] = "not_serializable",
        ["rounds[1].type.build"] = "not_serializable", chair = "not_serializable",
      }, codes)
    end)

    it("tools, rounds of one's own, and what goes to the provider unread", function()
      assert.same({ ["members[1].tools[2]"] = "not_serializable" },
        with_member { tools = { "search", { name = "http_get", hosts = { "internal" } } } })
      assert.same({ ["tools[1]"] = "not_serializable" }, select(2, read { name = "c", tools = { { mcp = "npx x" } } }))
      assert.same({ ["members[1].extra"] = "not_serializable" }, with_member { extra = { tools = {} } })
      assert.same({ ["members[1].fallback[1].extra"] = "not_serializable" }, with_member { fallback = { { extra = {} } } })
      assert.same({ ["rounds[1].type"] = "not_serializable" }, select(2, read { name = "c", rounds = { { type = {} } } }))
      assert.same({ ["rounds[1].round.type"] = "not_serializable" },
        select(2, read { name = "c", rounds = { { type = "iterate", round = { type = {} }, schema = { type = {} } } } }))
    end)

    it("references to modules, wherever the language has a meaning for them", function()
      local reference = { module = "os", name = "execute" }
      for _, field in ipairs { "confidence", "transform", "system", "provider" } do
        assert.same({ ["members[1]." .. field] = "not_serializable" }, with_member { [field] = reference })
      end
      assert.same({ ["rounds[1].judge"] = "not_serializable" },
        select(2, read { name = "c", rounds = { { type = "x", judge = reference } } }))
      assert.same({}, with_member { metadata = reference, schema = { default = reference } })
    end)

    it("not in a council that stands inline either", function()
      local inner = { name = "inner", members = { { id = "x", tools = { {} } } }, rounds = { { type = {} } } }
      assert.same({
        ["members[1].council.members[1].tools[1]"] = "not_serializable",
        ["members[1].council.rounds[1].type"] = "not_serializable",
      }, with_member { council = inner })
    end)
  end)

  describe("has limits:", function()
    local function refused(source, path)
      local data, codes, faults = read(source)
      assert.is_nil(data)
      assert.same({ [path] = "out_of_range" }, codes)
      return faults[1].message
    end

    it("bytes", function()
      local text = ("x"):rep(data_form.limits.bytes)
      assert.matches("524290 bytes; the data form has at most 524288", refused('"' .. text .. '"', ""))
      assert.matches("all texts together", refused({ name = "c", about = text, metadata = { x = "y" } }, "metadata.x"))
    end)

    it("depth, cycles among it", function()
      assert.matches("at most 64 deep", refused({ name = "c", metadata = nest(64) }, "metadata" .. (".inner"):rep(63)))
      assert.same({}, select(2, read { name = "c", metadata = nest(63) }))
      local circle = { name = "c" }
      circle.metadata = circle
      assert.is_nil((read(circle)))
      assert.is_nil((read('{"name":"c","metadata":' .. ("["):rep(5000))))
    end)

    it("values", function()
      local list = {}
      for i = 1, data_form.limits.values do list[i] = i end
      assert.matches("at most 20000 values", refused({ metadata = { x = list } }, "metadata.x"))
      local lists = {}
      for i = 1, 10 do lists[i] = table.move(list, 1, 2000, 1, {}) end
      assert.matches("at most 20000 values", refused({ metadata = lists }, "metadata[10]"))
    end)

    it("the length of a name", function()
      assert.matches("at most 256 bytes", refused({ metadata = { [("x"):rep(257)] = 1 } }, "metadata"))
    end)

    it("members and rounds", function()
      local list = {}
      for i = 1, 101 do list[i] = { id = "m" .. i } end
      assert.same({ members = "out_of_range" }, select(2, read { name = "c", members = list }))
      assert.same({ rounds = "out_of_range" }, select(2, read { name = "c", rounds = list }))
    end)
  end)

  it("writes equal bytes for equal councils, lists as lists", function()
    local text = assert(data_form.write { name = "c", members = {}, rounds = {}, metadata = { b = 1, a = {} } })
    assert.equal('{"members":[],"metadata":{"a":{},"b":1},"name":"c","rounds":[]}', text)
    assert.matches('\n  "name": "c"', data_form.write({ name = "c" }, { indent = 2 }))
    local nothing, faults = data_form.write { name = "c", router = print, input = print }
    assert.is_nil(nothing)
    assert.same({ router = "not_serializable", input = "not_serializable" }, support.codes(faults))
  end)
end)
