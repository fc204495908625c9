-- The export against the proto that OpenTelemetry publishes. Without node or the package the tests are pending; `.ci/run`
-- installs it (see the head of spec/integration_aimock_spec.lua).
local curia = require "curia"
local json = require "curia.json"
local library = require "curia.cli.library"
local support = require "spec.otlp.support"
local T = require "spec.engine.support"
local uv = require "luv"

local FOLDER = "build/integration"

local missing = not uv.fs_stat(FOLDER .. "/node_modules/@opentelemetry/otlp-transformer")
  and "npm has not installed @opentelemetry/otlp-transformer"
  or not os.execute("command -v node >/dev/null 2>&1") and "node is not installed"

if missing then
  pending("the export against OpenTelemetry's proto: " .. missing)
  return
end

-- What is wrong with each of some requests.
local function faults_of(requests)
  local list = json.array()
  for i, request in ipairs(requests) do list[i] = { path = request.path, body = request.body } end
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write((assert(json.encode(list))))
  file:close()
  local pipe = assert(io.popen(("node spec/integration/otlp.mjs %s < %s"):format(FOLDER, path)))
  local found = assert(json.decode(pipe:read "a"))
  pipe:close()
  os.remove(path)
  return found
end

-- The requests that are sent while a function is called.
local function exported(fn, opts)
  local collector <close> = support.collector()
  local all = { endpoint = collector.url, resource = { text = "x", number = 1.5, integer = 2, yes = true } }
  for name, value in pairs(opts or {}) do all[name] = value end
  local exporting = assert(curia.otlp.start(all))
  fn()
  assert(exporting:stop())
  return collector.requests
end

local function assert_valid(requests)
  for i, faults in ipairs(faults_of(requests)) do assert.same({}, faults, requests[i].path) end
end

describe("OpenTelemetry's proto #slow", function()
  it("has all that is exported of the councils that come with Curia", function()
    local requests = exported(function()
      for _, entry in ipairs(library.list()) do
        curia.run(library.load(entry.name), "Ship?", {
          offline = true, traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        })
      end
    end, { content = true })
    assert.is_true(#requests >= 2)
    assert_valid(requests)
  end)

  it("has what is exported of failures and of tools", function()
    local double = curia.tool "double" { run = function(args) return (args.n or 0) * 2 end }
    assert_valid(exported(function()
      T.answers {
        a = { { tool_calls = { { name = "double", arguments = { n = 2 } } } }, "4" },
        b = { error = { status = 400, message = "bad \xff request" } },
      }
      T.ask({ ids = { "a", "b" }, members = { a = { tools = { double } } } }, "\xff?")
    end, { content = true }))
  end)

  it("is asked strictly", function()
    local function fault(change)
      local span = {
        traceId = ("a"):rep(32), spanId = ("b"):rep(16), name = "x", kind = 1, startTimeUnixNano = "1",
        endTimeUnixNano = "2",
      }
      change(span)
      local scopes = json.array { { spans = json.array { span } } }
      local body = { resourceSpans = json.array { { scopeSpans = scopes } } }
      return faults_of({ { path = "/v1/traces", body = body } })[1]
    end
    assert.same({}, fault(function() end))
    for name, value in pairs {
      kind = "SPAN_KIND_CLIENT", startTimeUnixNano = 1, traceId = "qrvM", spanId = ("0"):rep(16), statuss = 1,
      start_time_unix_nano = "1", name = 1, status = { cod = 2 },
    } do
      assert.is_true(#fault(function(span) span[name] = value end) > 0, name)
    end
  end)
end)
