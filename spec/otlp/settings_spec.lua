local redact = require "curia.redact"
local secrets = require "curia.language.secrets"
local settings = require "curia.otlp.settings"
local support = require "spec.otlp.support"

local function read(opts, variables)
  return settings.read(opts, function(name) return (variables or {})[name] end)
end

local function resource(opts, variables)
  return support.attributes(assert(read(opts, variables)).source.resource.attributes)
end

after_each(redact.reset)

describe("the settings of the export", function()
  it("have defaults", function()
    local found = read {}
    assert.equal("http://localhost:4318", found.endpoint)
    assert.same({ ["Content-Type"] = "application/json" }, found.headers)
    assert.equal(5000, found.interval_ms)
    assert.is_false(found.content)
    local attributes = resource {}
    assert.equal("curia", attributes["service.name"])
    assert.equal("curia", attributes["telemetry.sdk.name"])
  end)

  it("take OpenTelemetry's variables", function()
    local variables = {
      OTEL_EXPORTER_OTLP_ENDPOINT = "https://otel.example.org/base/",
      OTEL_EXPORTER_OTLP_HEADERS = "api-key=s3cr%3Dt-value, x-tenant = 42 ,",
      OTEL_SERVICE_NAME = "mine", OTEL_RESOURCE_ATTRIBUTES = "deployment.environment.name=test,service.name=other",
    }
    local found = read({}, variables)
    assert.equal("https://otel.example.org/base", found.endpoint)
    assert.equal("s3cr=t-value", found.headers["api-key"])
    assert.equal("42", found.headers["x-tenant"])
    local attributes = resource({}, variables)
    assert.equal("mine", attributes["service.name"])
    assert.equal("test", attributes["deployment.environment.name"])
    variables.OTEL_SERVICE_NAME = ""
    assert.equal("other", resource({}, variables)["service.name"])
  end)

  it("take options before variables", function()
    local variables = {
      OTEL_EXPORTER_OTLP_ENDPOINT = "http://a", OTEL_EXPORTER_OTLP_HEADERS = "x=1,y=1", OTEL_SERVICE_NAME = "a",
      OTEL_RESOURCE_ATTRIBUTES = "k=1,l=1",
    }
    local opts = { endpoint = "http://b", headers = { x = "2" }, service_name = "b", resource = { k = 2 } }
    local found = read(opts, variables)
    assert.same({ "http://b", "2", "1" }, { found.endpoint, found.headers.x, found.headers.y })
    local attributes = resource(opts, variables)
    assert.same({ "b", 2, "1" }, { attributes["service.name"], attributes.k, attributes.l })
  end)

  it("say what is wrong with a variable, and not what stands in it", function()
    for _, variable in ipairs { "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_RESOURCE_ATTRIBUTES" } do
      local found, err = read({}, { [variable] = "a=1,hush-hush" })
      assert.is_nil(found)
      assert.equal(variable .. " must have the form name=value,name=value", err.message)
    end
    for _, endpoint in ipairs { "localhost:4318", "grpc://x", "http://", "http://a b" } do
      local found, err = read({}, { OTEL_EXPORTER_OTLP_ENDPOINT = endpoint })
      assert.is_nil(found)
      assert.equal("validation", err.kind)
    end
  end)

  it("send no header that would end another", function()
    local found, err = read { headers = { a = "x\r\nb: y" } }
    assert.is_nil(found)
    assert.equal("otlp: header 'a' cannot be sent", err.message)
    assert.is_nil((read { headers = { ["a b"] = "x" } }))
  end)

  it("reveal secrets in headers, and keep all of them out of texts", function()
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write "token-from-a-file\n"
    file:close()
    local found = assert(read { headers = { authorization = secrets.file(path), other = "given-as-text" } })
    os.remove(path)
    assert.equal("token-from-a-file", found.headers.authorization)
    assert.equal("[secret] [secret]", redact.text "token-from-a-file given-as-text")
    local none, err = read { headers = { authorization = secrets.env "CURIA_SPEC_NOT_SET" } }
    assert.is_nil(none)
    assert.same({ "auth", "otlp: header authorization: CURIA_SPEC_NOT_SET is not set" }, { err.kind, err.message })
  end)

  it("do not export more often than ten times a second", function()
    assert.equal(100, read { interval_ms = 0 }.interval_ms)
  end)
end)
