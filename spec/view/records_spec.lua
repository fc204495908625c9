local events = require "spec.view.events"
local json = require "curia.json"
local records = require "curia.view.records"

describe("curia.view.records", function()
  it("writes a result as one document", function()
    local document = records.document(events.result)
    assert.equal("\n", document:sub(-1))
    assert.equal("Ship it.\n\nBut carefully.", json.decode(document).final.content)
  end)

  it("writes why there is no result", function()
    local document = json.decode(records.document(nil, { kind = "auth", message = "no key" }))
    assert.same({ "error", "no key" }, { document.status, document.errors[1].message })
  end)

  it("writes an event as one line", function()
    for _, event in ipairs(events.list) do
      local line = records.line(event)
      assert.equal(#line, line:find("\n", 1, true))
      assert.equal(event.seq, json.decode(line).seq)
    end
  end)

  it("says so where something cannot be written", function()
    local document = json.decode(records.line({ type = "log", text = print }))
    assert.equal("internal", document.error.kind)
  end)
end)
