local decoder = require "curia.core.decoder"
local json = require "curia.json"

local CHAT = {
  framing = "sse",
  text = { "choices.0.delta.content" },
  reasoning = { "choices.0.delta.reasoning" },
  ignore = { "choices.0.delta.role" },
  whole = { "choices.0.delta.*", "choices.0.finish_reason", "choices.*", "usage", "error" },
}

-- Every segment as {kind, value, name}.
local function decode(paths, body, size)
  local d = decoder.new(decoder.paths(paths))
  local list = {}
  local function take()
    local flat, count = d:take()
    assert.equal(count * 3, #flat)
    for i = 1, #flat, 3 do list[#list + 1] = { flat[i], flat[i + 1], flat[i + 2] } end
  end
  for at = 1, #body, size or #body do
    assert.is_true(d:feed(body:sub(at, at + (size or #body) - 1)))
    if size then take() end
  end
  assert.is_true(d:finish())
  take()
  return list
end

local function chunk(delta)
  return ('data: {"choices":[{"index":0,"delta":%s}]}\n\n'):format(delta)
end

describe("curia.core.decoder", function()
  it("gathers text and hands on the rest, decoded", function()
    local body = chunk '{"role":"assistant","content":""}' .. chunk '{"content":"Hel"}'
      .. chunk '{"content":"lo\\n","reasoning":"hm"}' .. chunk '{"tool_calls":[{"index":0}],"content":null}'
      .. "event: end\ndata: [DONE]\n\n"
    local list = decode(CHAT, body)
    assert.same({ "event", "text", "reasoning", "text", "event", "data" },
      { list[1][1], list[2][1], list[3][1], list[4][1], list[5][1], list[6][1] })
    assert.equal("assistant", list[1][2].choices[1].delta.role)
    assert.same({ "text", "Hel", false }, list[2])
    assert.same({ "reasoning", "hm", false }, list[3])
    assert.same({ "text", "lo\n", false }, list[4])
    assert.equal(0, list[5][2].choices[1].delta.tool_calls[1].index)
    assert.is_nil(list[5][2].choices[1].delta.content)
    assert.is_true(json.is_array(list[5][2].choices))
    assert.same({ "data", "[DONE]", "end" }, list[6])
  end)

  it("gives the same text whatever the cuts", function()
    local body = chunk "{}" .. chunk '{"content":"a \\u00fc \xE2\x82\xAC"}' .. chunk '{"content":"b"}' .. "data: [DONE]"
    for size = 1, 40 do
      local text = {}
      for _, segment in ipairs(decode(CHAT, body, size)) do
        if segment[1] == "text" then text[#text + 1] = segment[2] end
      end
      assert.equal("a \u{fc} \u{20ac}b", table.concat(text))
    end
  end)

  it("turns an event that is no JSON into data", function()
    assert.same({ { "data", '{"broken":', false } }, decode(CHAT, 'data: {"broken":\n\n'))
    assert.same({ "data", "{]", false }, decode(CHAT, "data: {}\n\ndata: {]\n\n")[2])
  end)

  it("reads NDJSON", function()
    local list = decode({ framing = "ndjson", text = { "message.content" }, whole = { "error" } },
      '{"a":1}\n{"message":{"content":"x"}}\r\n\n{"message":{"content":"y"}}\n{"error":"no"}')
    assert.same({ "text", "xy", false }, list[2])
    assert.equal("no", list[3][2].error)
  end)

  it("lets a field select what may be gathered", function()
    local paths = {
      framing = "sse",
      text = { "delta" },
      reasoning = { "delta" },
      when = { "type", { ["text.delta"] = "text", ["think.delta"] = "reasoning" } },
    }
    local list = decode(paths, 'data: {"type":"start"}\n\ndata: {"delta":"a","type":"text.delta"}\n\n'
      .. 'data: {"delta":"b","type":"think.delta"}\n\ndata: {"delta":"{","type":"arguments.delta"}\n\n')
    assert.same({ "text", "a", false }, list[2])
    assert.same({ "reasoning", "b", false }, list[3])
    assert.equal("{", list[4][2].delta)
  end)

  it("stops at its limits, and stays stopped", function()
    local paths = decoder.paths(CHAT)
    local d = decoder.new(paths, { max_event_bytes = 100 })
    local ok, err = d:feed("data: " .. ("x"):rep(200))
    assert.is_nil(ok)
    assert.equal("invalid_output", err.kind)
    assert.matches("size limit", tostring(err))
    assert.is_nil(d:finish())
    d = decoder.new(paths, { max_pending_bytes = 100 })
    assert.is_nil((d:feed("data: " .. ("x"):rep(200) .. "\n\n")))
  end)

  it("refuses misuse", function()
    local function refuses(message, paths)
      assert.error_matches(function() decoder.paths(paths) end, message)
    end
    refuses("did you mean 'whole'", { framing = "sse", whol = {} })
    refuses("framing", {})
    refuses("framing", { framing = "xml" })
    refuses("text: '' is invalid", { framing = "sse", text = { "" } })
    refuses("whole: 'a..b' is invalid", { framing = "sse", whole = { "a..b" } })
    refuses("text: string expected, got number", { framing = "sse", text = { 5 } })
    refuses("list of paths expected", { framing = "sse", text = "choices" })
    refuses("both text and reasoning", { framing = "sse", text = { "a" }, reasoning = { "a" } })
    refuses("when: 'x' is invalid", { framing = "sse", when = { "type", { x = "whole" } } })
    assert.error_matches(function() decoder.new {} end, "curia.decoder.paths expected")
    assert.error_matches(function() decoder.new(decoder.paths(CHAT), { max_event = 1 }) end,
      "unknown field 'max_event'")
  end)

  it("takes an adapter's stream table with its functions", function()
    local stream = { framing = "sse", start = print, push = print, finish = print }
    assert.equal("decoder paths (sse)", tostring(decoder.paths(stream)))
  end)

  it("is closed once and then says so", function()
    local d = decoder.new(decoder.paths(CHAT))
    assert.equal("decoder (open)", tostring(d))
    d:finish()
    assert.error_matches(function() d:feed "x" end, "finished")
    d:close()
    d:close()
    assert.error_matches(function() d:take() end, "closed")
  end)
end)

describe("decoder.fields", function()
  local read = decoder.fields {
    strings = { "id", "list.0.text" },
    integers = { "count.all", "count.some" },
    whole = { "*", "list.*", "list.0.*", "count.*" },
    ignore = { "at" },
  }

  local function gives(text, ...)
    assert.same(table.pack(...), table.pack(read(text)), text)
  end

  it("gives the fields in the order of their lists", function()
    gives('{"at":5,"count":{"some":2,"all":-1},"list":[{"text":"a\\n\\u00e9"}],"id":"x"}', true, "x", "a\né", -1, 2)
    gives('{"id":null,"count":{"all":0,"some":[]}}', true, nil, nil, 0, nil)
    local long = ("é\\t"):rep(2000)
    gives('{"id":"' .. long .. '"}', true, (long:gsub("\\t", "\t")), nil, nil, nil)
  end)

  it("passes over what tells nothing and what is to be ignored", function()
    gives('{"id":"x","more":null,"list":[{"text":"","index":0,"calls":[]}],"at":{"a":[1]}}', true, "x", "", nil, nil)
  end)

  it("refuses texts that say more, or otherwise", function()
    for _, text in ipairs {
      '{"id":"x","more":1}', '{"id":"x","list":[{"text":"a","more":"b"}]}', '{"id":"x","list":[{"text":"a"},{"text":""},5]}',
      '{"id":"x","count":{"more":true}}', '{"id":5}', '{"id":["x"]}', '{"count":{"all":1.5}}', '{"count":{"all":"1"}}',
      '{"count":{"all":1234567890123456789}}', '{"id":"x","id":"y"}', '{"\\u0069d":"x"}', '{"id":"x"', "[]", "{}", "",
      '{"id":"x"} x',
    } do
      gives(text, false)
    end
  end)

  it("checks its table", function()
    assert.error_matches(function() decoder.fields { string = {} } end, "did you mean 'strings'")
    assert.error_matches(function() decoder.fields { strings = { "a", "a" } } end, "strings: 'a' is invalid")
    assert.error_matches(function() decoder.fields { strings = { "a" }, integers = { "a" } } end, "integers: 'a' is invalid")
    assert.error_matches(read, "string expected")
  end)
end)
