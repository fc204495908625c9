--- What may go wrong out there, over real HTTP: each fault ends in its typed error with the vendor's words, the others'
--- answers are kept, the run says `partial` or `error` truthfully, in bounded time, and nothing is left behind.
local clock = require "curia.core.clock"
local curia = require "curia"
local helper = require "spec.helper"
local http = require "curia.http"
local mock = require "curia.mock"
local task = require "curia.task"
local uv = require "luv"

local ADAPTERS = {
  openai_chat = "/v1", openai_responses = "/v1", anthropic = "", gemini = "/v1beta", ollama = "", openrouter = "/api/v1",
}
local KEY = "sk-faults-0123456789abcdef"

local function provider(name, fields)
  fields.api_key = fields.api_key or KEY
  curia.config { providers = { [name] = fields } }
end

-- A server of the mock that is closed with the variable.
local function serve(script)
  local server = assert(mock.start { script = script })
  return setmetatable({ url = server.url, mock = server }, { __close = function() server:close() end })
end

-- Two members of a good provider and, in the middle, one of the provider "bad".
local function council(member, chair)
  local bad = { id = "bad", provider = "bad", model = "m" }
  for name, value in pairs(member or {}) do bad[name] = value end
  return curia.council "faults" {
    members = { { id = "first", provider = "good", model = "m" }, bad, { id = "last", provider = "good", model = "m" } },
    rounds = { { type = "independent_analysis" } },
    chair = chair and { provider = "good", model = "m" } or nil,
  }
end

local ONCE = { attempts = 1 }

-- Runs the council and checks what holds for every fault; gives the bad member's result.
local function ask(member, limit_ms, opts)
  local good <close> = serve "a good answer"
  provider("good", { adapter = "openai_chat", base_url = good.url .. "/v1" })
  local began = clock.us()
  local result, err = helper.run(function() return curia.run(council(member, true), "Why?", opts) end)
  local ms = (clock.us() - began) / 1000
  assert.is_nil(err)
  assert.is_true(ms < (limit_ms or 15000), ms)
  assert.equal("partial", result.status)
  assert.equal("a good answer", result.final.content)
  local results = result.rounds[1].results
  assert.equal("a good answer", results.first.response.content)
  assert.equal("a good answer", results.last.response.content)
  assert.equal(0, http.stats().active)
  assert.equal("bad", result.degraded.missing[1].member)
  local failed = results.bad
  assert.same({ "bad", "independent_analysis", "bad" }, { failed.error.member, failed.error.round, failed.error.provider })
  assert.equal(failed.error, result.errors[1])
  assert.is_nil(require("curia.json").encode(result):find(KEY, 1, true))
  return failed
end

-- The same where the bad provider is the mock, for one adapter.
local function ask_mock(script, adapter, member, limit_ms)
  local bad <close> = serve(script)
  provider("bad", { adapter = adapter or "openai_chat", base_url = bad.url .. ADAPTERS[adapter or "openai_chat"] })
  local fields = { retry = ONCE }
  for name, value in pairs(member or {}) do fields[name] = value end
  return ask(fields, limit_ms), bad.mock
end

-- A server of one's own: `talk(socket, send)` is called, in a task, when a request's head has come.
local function raw_server(talk)
  local listener, sockets = uv.new_tcp(), {}
  listener:bind("127.0.0.1", 0)
  listener:listen(16, function()
    local socket = uv.new_tcp()
    listener:accept(socket)
    sockets[#sockets + 1] = socket
    local head = ""
    socket:read_start(function(_, data)
      if not data then return socket:is_closing() or socket:close() end
      local complete = head:find("\r\n\r\n", 1, true)
      head = head .. data
      if complete or not head:find("\r\n\r\n", 1, true) then return end
      task.spawn_root(talk, socket)
    end)
  end)
  local server = { url = ("http://127.0.0.1:%d"):format(listener:getsockname().port) }
  return setmetatable(server, { __close = function()
    listener:close()
    for _, socket in ipairs(sockets) do
      if not socket:is_closing() then socket:close() end
    end
  end })
end

-- Writes and waits until it is written; false once the other side is gone.
local function write(socket, text)
  if socket:is_closing() then return false end
  local done, failed = task.signal(), nil
  socket:write(text, function(problem)
    failed = problem
    done:notify()
  end)
  done:wait(60000)
  return not failed and not socket:is_closing()
end

describe("before anything is asked", function()
  it("an unknown provider is a fault of the council", function()
    local run, err = curia.start(curia.council "x" { members = { { id = "a", provider = "opnai", model = "m" } },
      rounds = { { type = "independent_analysis" } } }, "Why?")
    assert.is_nil(run)
    assert.equal("invalid_council", err.kind)
    assert.equal("unknown_provider", err.context.faults[1].code)
    assert.matches("did you mean 'openai'", err.message)
  end)

  it("a missing key is an error that names the variable and --offline", function()
    provider("bad", { adapter = "openai_chat", base_url = "http://127.0.0.1:1", api_key = curia.env "CURIA_SPEC_NO_SUCH_KEY" })
    local err = ask({}).error
    assert.same({ "auth", "missing_key" }, { err.kind, err.code })
    assert.matches("CURIA_SPEC_NO_SUCH_KEY is not set", err.message)
    assert.matches("%-%-offline", err.message)
  end)

  it("a key's command that fails is told, and all that wait for it share one run of it", function()
    local path = os.tmpname()
    finally(function() os.remove(path) end)
    provider("bad", { adapter = "openai_chat", base_url = "http://127.0.0.1:1",
      api_key = curia.cmd(("echo x >> %s; sleep 0.05; exit 3"):format(path)) })
    local err = ask({}).error
    assert.equal("auth", err.kind)
    assert.matches("exit 3", err.message)
    local bad = {}
    for i = 1, 5 do bad[i] = { id = "m" .. i, provider = "bad", model = "m" } end
    os.remove(path)
    curia.run(curia.council "x" { members = bad, rounds = { { type = "independent_analysis" } } }, "Why?")
    local count = 0
    for _ in io.lines(path) do count = count + 1 end
    assert.equal(1, count)
  end)
end)

describe("a connection", function()
  it("that is refused", function()
    local socket = uv.new_tcp()
    socket:bind("127.0.0.1", 0)
    local port = socket:getsockname().port
    socket:close()
    helper.settle(function() return false end, 5)
    provider("bad", { adapter = "openai_chat", base_url = ("http://127.0.0.1:%d/v1"):format(port) })
    local failed = ask { retry = { attempts = 2, base_ms = 10 } }
    assert.same({ "transient", "ECONNECT", 2 }, { failed.error.kind, failed.error.code, failed.attempts })
    assert.matches("^bad: ", failed.error.message)
    assert.is_false(failed.error.context.sent)
  end)

  it("to a name that does not exist", function()
    provider("bad", { adapter = "openai_chat", base_url = "http://no-such-host.invalid/v1" })
    local failed = ask({ retry = ONCE }, 15000)
    assert.equal("transient", failed.error.kind)
    assert.is_truthy(failed.error.code == "ERESOLVE" or failed.error.code == "ECONNTIMEOUT")
  end)

  it("that is closed before an answer", function()
    local failed = ask_mock { fault = "cut_before" }
    assert.equal("transient", failed.error.kind)
    assert.is_true(failed.error.context.sent)
  end)

  it("with a bad certificate", function()
    if os.execute "command -v openssl >/dev/null" ~= true then return pending "the program openssl is not installed" end
    local folder = os.tmpname()
    os.remove(folder)
    os.execute("mkdir " .. folder)
    finally(function() os.execute("rm -r " .. folder) end)
    os.execute(("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=curia-test "
      .. "-addext subjectAltName=IP:127.0.0.1 -keyout %s/key -out %s/cert 2>/dev/null"):format(folder, folder))
    local out = uv.new_pipe(false)
    local process = uv.spawn("openssl", { args = { "s_server", "-accept", "127.0.0.1:0", "-key", folder .. "/key", "-cert",
      folder .. "/cert", "-www" }, stdio = { nil, out, nil } }, function() end)
    local said = ""
    out:read_start(function(_, data) said = said .. (data or "") end)
    assert(helper.settle(function() return said:find "ACCEPT [%d.]+:%d+" end, 10000))
    provider("bad", { adapter = "openai_chat", base_url = ("https://127.0.0.1:%s/v1"):format(said:match "ACCEPT [%d.]+:(%d+)") })
    local failed = ask {}
    process:kill "sigkill"
    process:close()
    out:close()
    assert.same({ "permanent", "ETLS", 1 }, { failed.error.kind, failed.error.code, failed.attempts })
    assert.matches("certificate", failed.error.message)
    assert.is_false(failed.error.context.sent)
  end)
end)

for adapter in pairs(ADAPTERS) do
  describe("an answer of " .. adapter, function()
    it("of 401 is auth, with the vendor's words and without the key", function()
      local failed, server = ask_mock({ error = { status = 401, message = "Incorrect API key provided: " .. KEY } }, adapter, { retry = { attempts = 3 } })
      assert.same({ "auth", 401, 1 }, { failed.error.kind, failed.error.status, failed.attempts })
      assert.equal("Incorrect API key provided: [secret]", failed.error.reason)
      assert.equal(1, server:stats().requests)
    end)

    it("of 429 with a hint is waited for and asked again", function()
      local bad <close> = serve { { error = { status = 429, message = "Slow down.", retry_after_ms = 150 } }, "late but good" }
      provider("bad", { adapter = adapter, base_url = bad.url .. ADAPTERS[adapter] })
      local one = curia.council "x" { members = { { id = "a", provider = "bad", model = "m" } }, rounds = { { type = "independent_analysis" } } }
      local began = clock.us()
      local events, retried = {}, nil
      local result = helper.run(function()
        return (curia.run(one, "Why?", { subscribe = function(event)
          events[#events + 1] = event.type
          if event.type == "member_retry" then retried = event end
        end }))
      end)
      local ms = (clock.us() - began) / 1000
      assert.equal("ok", result.status)
      assert.equal("late but good", result.final.content)
      assert.equal(2, result.rounds[1].results.a.attempts)
      assert.same({ "rate_limited", "Slow down.", 150, 150 }, { retried.error.kind, retried.error.reason, retried.error.retry_after_ms,
        retried.wait_ms })
      assert.is_true(ms >= 149 and ms < 20000, ms)
    end)

    it("of 429 whose hint is beyond the deadline fails now", function()
      local failed = ask_mock({ error = { status = 429, message = "Come back in an hour.", retry_after_ms = 3600000 } }, adapter,
        { deadline = "10s", retry = { attempts = 5 } })
      assert.same({ "rate_limited", 429, 3600000, 1, "Come back in an hour." }, { failed.error.kind, failed.error.status,
        failed.error.retry_after_ms, failed.attempts, failed.error.reason })
    end)

    it("of 500 is transient", function()
      local failed, server = ask_mock({ error = { status = 500, message = "Our fault." } }, adapter, { retry = { attempts = 2, base_ms = 1 } })
      assert.same({ "transient", 500, "Our fault.", 2 }, { failed.error.kind, failed.error.status, failed.error.reason, failed.attempts })
      assert.equal(2, server:stats().requests)
    end)

    it("that is HTML instead of JSON", function()
      local failed = ask_mock({ fault = "html" }, adapter)
      assert.equal("error", failed.status)
      assert.equal("transient", failed.error.kind)
      assert.is_truthy(failed.error.reason)
    end)

    it("that is empty, or garbage", function()
      for _, fault in ipairs { "empty", "garbage" } do
        local failed = ask_mock({ fault = fault, content = "x" }, adapter)
        assert.equal("error", failed.status, fault)
        assert.is_nil(failed.response)
      end
    end)

    it("that is cut in the middle", function()
      for _, fault in ipairs { "cut", "reset", "no_done" } do
        local failed = ask_mock({ fault = fault, content = "one two three four" }, adapter)
        assert.same({ "error", "transient" }, { failed.status, failed.error.kind }, fault)
      end
    end)

    it("whose stream is cut in the middle keeps what had come, and is not asked again", function()
      for _, fault in ipairs { "cut", "reset", "no_done" } do
        local failed, server = ask_mock({ fault = fault, stream = { "one ", "two ", "three ", "four" }, after = 2 }, adapter,
          { stream = true, retry = { attempts = 3, base_ms = 1 } })
        assert.same({ "error", "transient", 1 }, { failed.status, failed.error.kind, failed.attempts }, fault)
        assert.matches("^one two", failed.error.context.partial.content, fault)
        assert.equal(1, server:stats().requests)
      end
    end)

    it("that is an error inside a 200", function()
      for _, stream in ipairs { false, true } do
        local failed = ask_mock({ fault = "error_in_200", content = "x", error = { status = 503, message = "Overloaded, sorry." } },
          adapter, { stream = stream })
        assert.equal("error", failed.status)
        assert.equal("Overloaded, sorry.", failed.error.reason)
        assert.is_truthy(failed.error.kind == "overloaded" or failed.error.kind == "transient", failed.error.kind)
      end
    end)

    it("that never comes ends in a time-out", function()
      local failed = ask_mock({ fault = "hang" }, adapter, { first_byte_timeout = "500ms" })
      assert.same({ "timeout", "timeout", "EFIRSTBYTE" }, { failed.status, failed.error.kind, failed.error.code })
    end)

    it("that falls silent ends in a time-out", function()
      local failed = ask_mock({ fault = "silence", stream = { "one ", "two ", "three" }, after = 1 }, adapter,
        { stream = true, timeout = "500ms" })
      assert.same({ "timeout", "timeout", "ESILENCE" }, { failed.status, failed.error.kind, failed.error.code })
      assert.matches("^one", failed.error.context.partial.content)
    end)
  end)
end

describe("an answer of 100 MB", function()
  local MEGABYTE = ("x"):rep(1024 * 1024)

  it("is refused when it is too big, before it is all there", function()
    local sent = 0
    local server <close> = raw_server(function(socket)
      write(socket, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 104857600\r\n\r\n")
      for _ = 1, 100 do
        if not write(socket, MEGABYTE) then return end
        sent = sent + 1
      end
    end)
    provider("bad", { adapter = "openai_chat", base_url = server.url })
    local failed = ask({ retry = { attempts = 3 } }, 10000)
    assert.same({ "permanent", "ETOOBIG", 1 }, { failed.error.kind, failed.error.code, failed.attempts })
    assert.is_true(sent < 100)
  end)

  it("is refused also without a length, and as a stream without end", function()
    for _, kind in ipairs { "application/json", "text/event-stream" } do
      local server <close> = raw_server(function(socket)
        write(socket, "HTTP/1.1 200 OK\r\ncontent-type: " .. kind .. "\r\nconnection: close\r\n\r\n")
        local piece = kind == "text/event-stream"
          and 'data: {"choices":[{"delta":{"content":"' .. MEGABYTE .. '"}}]}\n\n' or MEGABYTE
        for _ = 1, 100 do
          if not write(socket, piece) then return end
        end
      end)
      provider("bad", { adapter = "openai_chat", base_url = server.url })
      local failed = ask({ stream = kind == "text/event-stream" }, 20000)
      assert.same({ "permanent", "ETOOBIG" }, { failed.error.kind, failed.error.code }, kind)
    end
  end)
end)

describe("all at once", function()
  it("a run in which everybody fails is an error, and each tells its own", function()
    local down <close> = serve { error = { status = 503, message = "Down for maintenance." } }
    provider("good", { adapter = "openai_chat", base_url = down.url .. "/v1" })
    provider("bad", { adapter = "anthropic", base_url = down.url })
    local result, err = helper.run(function() return curia.run(council({}, true), "Why?", { retry = ONCE }) end)
    assert.equal("error", result.status)
    assert.equal("overloaded", err.kind)
    assert.equal(3, #result.errors)
    for _, each in ipairs(result.errors) do assert.equal("Down for maintenance.", each.reason) end
    assert.is_nil(result.final)
  end)

  it("a cancelled run aborts what is on the wire at once", function()
    local slow <close> = serve { content = "late", delay_ms = 20000 }
    provider("good", { adapter = "openai_chat", base_url = slow.url .. "/v1" })
    provider("bad", { adapter = "gemini", base_url = slow.url .. "/v1beta" })
    local began = clock.us()
    local _, err = helper.run(function()
      local run = curia.start(council {}, "Why?")
      helper.wait_for(function() return http.stats().active == 3 end)
      run:cancel()
      return run:await()
    end)
    assert.equal("cancelled", err.kind)
    assert.equal(0, http.stats().active)
    assert.is_true(clock.us() - began < 10e6)
  end)

  it("a refused key is fetched anew: it may have been replaced", function()
    local keys, asked = { "sk-old-0123456789", "sk-new-0123456789" }, 0
    local server <close> = serve { { error = 401 }, "good again" }
    provider("bad", { adapter = "openai_chat", base_url = server.url .. "/v1", api_key = function()
      asked = asked + 1
      return keys[asked] or keys[2]
    end })
    local one = curia.council "x" { members = { { id = "a", provider = "bad", model = "m" } }, rounds = { { type = "independent_analysis" } } }
    helper.run(function()
      assert.equal("error", curia.run(one, "Why?").status)
      assert.equal("good again", curia.run(one, "Why?").final.content)
      assert.equal("good again", curia.run(one, "Why?").final.content)
    end)
    assert.equal(2, asked)
  end)
end)
