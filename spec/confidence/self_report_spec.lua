local json = require "curia.json"
local self_report = require "curia.confidence.self_report"
local T = require "spec.engine.support"

local SCHEMA = { type = "object", properties = { city = { type = "string" } }, required = { "city" } }

local function prepared(request)
  request.messages = request.messages or { { role = "user", content = "Where?" } }
  self_report.prepare(request)
  return request
end

local function member_result(content, fields)
  fields = fields or {}
  fields.confidence = "self_report"
  T.answers { a = content }
  return T.ask({ ids = { "a" }, members = { a = fields } }).rounds[1].results.a
end

describe("self_report", function()
  it("asks for a number behind everything else, and leaves the messages of others alone", function()
    local messages = { { role = "system", content = "S" }, { role = "user", content = "Where?" } }
    local request = prepared { messages = messages }
    assert.equal("Where?", messages[2].content)
    assert.matches("^Where%?\n\nFinish with one line .*Confidence: <number>%%", request.messages[2].content)
    assert.equal("S", request.messages[1].content)
    request = prepared { messages = { { role = "assistant", content = "Paris" } } }
    assert.equal("user", request.messages[2].role)
    request = prepared { messages = { { role = "user", content = { { type = "text", text = "Where?" } } } } }
    assert.matches("^Finish", request.messages[2].content)
  end)

  it("asks for a field where the answer is JSON, which the schema need not have", function()
    local request = prepared { schema = SCHEMA }
    assert.equal("number", request.schema.properties.confidence.type)
    assert.same({ "city" }, request.schema.required)
    assert.is_nil(SCHEMA.properties.confidence)
    assert.matches('field "confidence"', request.messages[1].content)
    local response = { content = '{"city":"Paris","confidence":0.7}' }
    assert.equal(0.7, self_report.read(response, request))
    assert.same({ city = "Paris" }, json.decode(response.content))
  end)

  it("leaves a field that the schema has itself", function()
    local own = { type = "object", properties = { confidence = { type = "string" } } }
    local request = prepared { schema = own }
    assert.equal(own, request.schema)
    local response = { content = '{"confidence":"7/10"}' }
    assert.equal(0.7, self_report.read({ content = '{"city":"x","confidence":"7/10"}' }, request))
    assert.equal(0.7, self_report.read(response, request))
  end)

  it("gives the result a confidence, and its text without the number", function()
    local result = member_result "Paris.\n\n**Confidence:** 85%"
    assert.equal("Paris.", result.response.content)
    assert.equal(0.85, result.confidence)
    assert.is_nil(result.metadata)
  end)

  it("takes the number out of what was streamed, too", function()
    local result = member_result({ stream = { "Par", "is.\nConf", "idence: 85%" } }, { stream = true })
    assert.equal("Paris.", result.response.content)
    assert.equal(0.85, result.confidence)
  end)

  it("has numbers from the offline answers, too", function()
    local result = require("curia").run(T.council { confidence = "self_report" }, "Why?", { offline = true })
    local member = result.rounds[1].results.a
    assert.is_true(member.confidence >= 0.5 and member.confidence < 1)
    assert.matches("^%[offline%]", member.response.content)
    assert.is_nil(member.response.content:find "Confidence")
  end)

  it("makes nothing up", function()
    local result = member_result("Paris.", { metadata = { team = "x" } })
    assert.equal("ok", result.status)
    assert.is_nil(result.confidence)
    assert.same({ team = "x", confidence_note = "the member stated no confidence" }, result.metadata)
    result = member_result "Paris.\nConfidence: 180%"
    assert.is_nil(result.confidence)
    assert.equal("Paris.", result.response.content)
    assert.matches("cannot be read", result.metadata.confidence_note)
  end)

  it("takes a number alone for no answer", function()
    local result = member_result "Confidence: 85%"
    assert.equal("invalid_output", result.status)
    assert.matches("empty", result.error.message)
  end)

  it("is read before the answer is judged", function()
    local seen
    member_result("Paris\nConfidence: 85%", { validate = function(text) seen = text return true end })
    assert.equal("Paris", seen)
  end)
end)
