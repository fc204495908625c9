--- What C hosts call; spec/c/embed_*_test.c has the whole way from curia.h.
local config = require "curia.config"
local embed = require "curia.embed"
local helper = require "spec.helper"
local json = require "curia.json"
local task = require "curia.task"

local COUNCIL = [[council "embedded" {
  member "a" { provider = "embedded", model = "m" },
  round "independent_analysis",
}]]

local function call(name, ...)
  return embed.call(embed[name], ...)
end

describe("embed", function()
  setup(function()
    config.shared():set("call", { providers = { embedded = { adapter = "scripted", script = "Yes." } } })
  end)

  it("gives errors as kind, message and JSON", function()
    local value, kind, message, err = call("load", "return 5", "five.lua")
    assert.is_nil(value)
    assert.equal("script", kind)
    assert.matches("five.lua returned a number", message, 1, true)
    assert.equal("script", json.decode(err).kind)
  end)

  it("makes an error of whatever is raised", function()
    local value, kind, message = embed.call(function() error { "odd" } end)
    assert.is_nil(value)
    assert.equal("script", kind)
    assert.matches("table", message)
  end)

  it("loads Lua and data, and registers what it has loaded", function()
    assert.equal("embedded", call("load", COUNCIL, "embedded.lua"))
    local data = [[ {"name": "as_data", "members": [{"id": "a", "model": "openai/m"}],
      "rounds": [{"type": "independent_analysis"}]}]]
    assert.equal("as_data", call("load", data, "x"))
    assert.equal("as_data", call("load", "\u{FEFF}" .. data, "x"))
    assert.is_truthy(config.shared().registry:lookup("council", "as_data"))
  end)

  it("chooses one of several", function()
    local two = COUNCIL .. COUNCIL:gsub("embedded\" {", "second\" {", 1)
    assert.equal("second", call("load", two, "two.lua", "second"))
    assert.is_nil((call("load", two, "two.lua")))
  end)

  it("tells the faults of a council", function()
    assert.equal("[]", call("validate", COUNCIL, "x"))
    local faults = json.decode(call("validate", 'council "x" { member "a" { modle = "m" } }', "x"))
    assert.is_true(#faults > 0)
    assert.is_string(faults[1].path)
  end)

  it("tells malformed JSON from wrong values", function()
    call("load", COUNCIL, "x")
    local _, kind, message = call("start", "embedded", "{", nil, 1)
    assert.equal("json", kind)
    assert.matches("input", message)
    _, kind = call("start", "embedded", "7", nil, 1)
    assert.equal("validation", kind)
    _, kind, message = call("start", "embedded", '"?"', '{"sed": 1}', 1)
    assert.equal("validation", kind)
    assert.matches("'seed'", message)
  end)

  it("starts a run and answers by its id", function() helper.run(function()
    call("load", COUNCIL, "x")
    local id = call("start", "embedded", '"Why?"', nil, 1)
    assert.is_true(call("has", id))
    assert.equal("pending", json.decode(call("state", id)).status)
    assert.is_false((call("result", id)))
    while call("result", id) == false do task.sleep(0) end
    assert.equal("ok", json.decode(call("result", id)).status)
    assert.is_true(call("cancel", id))
    assert.is_true(call("terminate", id))
  end) end)

  it("takes what other states have listed from the limit", function() helper.run(function()
    call("load", COUNCIL, "x")
    for _ = 1, 3 do call("start", "embedded", '"Why?"', nil, 1) end
    local items, count = call("list", '{"status": "pending", "limit": 3}', 1)
    assert.equal(2, count)
    assert.equal(2, #json.decode("[" .. items .. "]"))
    items, count = call("list", '{"limit": 3}', 5)
    assert.equal("", items)
    assert.equal(0, count)
  end) end)

  it("does not know other runs", function()
    assert.is_false((call("has", "nobody")))
    assert.is_false((call("knows", '{"run_id": "nobody"}')))
    assert.is_false((call("knows", "{")))
    assert.is_true(call("unsubscribe", 12345))
  end)
end)
