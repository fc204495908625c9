local asking = require "spec.integration.ask"
local curia_http = require "curia.http"
local helper = require "spec.helper"
local http = require "curia.mock.http"
local json = require "curia.json"
local mock = require "curia.mock"
local task = require "curia.task"
local uv = require "luv"

local each = asking.each

-- The server of the running test; closed after it.
local server

local function serve(script, options)
  options = options or {}
  options.script = script
  server = assert(mock.start(options))
  return server
end

-- A test that closes its server, however it ends.
local function case(name, fn)
  it(name, function()
    finally(function()
      if server then server:close() end
      server = nil
    end)
    fn()
  end)
end

local function ask(name, fields, limit_ms)
  return asking.ask(name, server.url, fields, nil, limit_ms)
end

local function fetch(path, options)
  options = options or {}
  options.url = server.url .. path
  return helper.run(function()
    local exchange <close> = assert(curia_http.start(options))
    local _, _, failure = exchange:next()
    assert.is_nil(failure)
    local answer = { status = exchange.status, headers = exchange.headers, body = exchange.body }
    return answer, json.decode(answer.body)
  end)
end

-- What the server sends for raw bytes, until it closes or `enough(text)` says so.
local function raw(bytes, enough)
  local client, over, parts = uv.new_tcp(), task.signal(), {}
  local done = false
  client:connect("127.0.0.1", server.port, function()
    for _, piece in ipairs(type(bytes) == "table" and bytes or { bytes }) do client:write(piece) end
    client:read_start(function(_, data)
      parts[#parts + 1] = data
      done = not data or enough and enough(table.concat(parts))
      if done then over:notify() end
    end)
  end)
  helper.run(function() while not done do over:wait() end end)
  client:close()
  return table.concat(parts)
end

local function count(text, pattern)
  return select(2, text:gsub(pattern, ""))
end

-- ---- HTTP ----------------------------------------------------------------------------------------

describe("the mock's HTTP parser", function()
  local LIMITS = { max_header_bytes = 200, max_body_bytes = 50 }

  local function parse(bytes, size)
    local parser, requests = http.parser(LIMITS), {}
    for at = 1, #bytes, size or #bytes do
      parser:feed(bytes:sub(at, at + (size or #bytes) - 1))
      while true do
        local request, fault = parser:next()
        if fault then return requests, fault end
        if not request then break end
        requests[#requests + 1] = request
      end
    end
    return requests
  end

  local TWO = "POST /v1/x?a=1&b=%20c+d HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
    .. "\r\nPOST /y HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"
    .. "3;ext=1\r\nabc\r\n002\r\nde\r\n0\r\nTrailer: x\r\n\r\n"
    .. "GET /z HTTP/1.1\r\nConnection: close\r\n\r\n"

  it("reads requests one after the other, cut anywhere", function()
    for size = 1, #TWO, os.getenv "CURIA_GC_STRESS" and 9 or 1 do
      local requests, fault = parse(TWO, size)
      assert.is_nil(fault)
      assert.equal(3, #requests)
      assert.same({ "POST", "/v1/x", "hello", true },
        { requests[1].method, requests[1].path, requests[1].body, requests[1].keep_alive })
      assert.same({ a = "1", b = " c d" }, requests[1].query)
      assert.same({ "abcde", false }, { requests[2].body, requests[2].keep_alive })
      assert.same({ "GET", "", false }, { requests[3].method, requests[3].body, requests[3].keep_alive })
    end
  end)

  it("refuses what is no request, with the right status", function()
    local cases = {
      ["nonsense\r\n\r\n"] = 400, ["GET relative HTTP/1.1\r\n\r\n"] = 400, ["GET / HTTP/2.0\r\n\r\n"] = 505,
      ["GET / HTTP/1.1\r\nno colon\r\n\r\n"] = 400, ["GET / HTTP/1.1\r\n folded: x\r\n\r\n"] = 400,
      ["POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n"] = 400, ["POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"] = 400,
      ["POST / HTTP/1.1\r\nContent-Length: 5, 5\r\n\r\n"] = 400,
      ["POST / HTTP/1.1\r\nContent-Length: 51\r\n\r\n"] = 413,
      ["POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"] = 400,
      ["POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n"] = 501,
      ["POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"] = 400,
      ["POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n33\r\n"] = 413,
      ["POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n"] = 413,
      ["POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n"] = 400,
      ["GET / HTTP/1.1\r\nx: " .. ("y"):rep(300)] = 431,
    }
    for bytes, status in pairs(cases) do
      for _, size in ipairs { 1, 7, #bytes } do
        local _, fault = parse(bytes, size)
        assert.equal(status, fault and fault.status, bytes)
      end
    end
  end)
end)

describe("curia.mock", function()
  -- ---- the protocols -------------------------------------------------------------------------------

  describe("speaks every protocol:", function()
    case("text, reasoning, usage, model", function()
      serve { content = "It rains äöü 🌧\n\"now\"", reasoning = "let me look", cost = 0.25,
        usage = { input_tokens = 12, output_tokens = 7, cached_tokens = 3, reasoning_tokens = 2 } }
      each(function(name, fields, what)
        local response, err = ask(name, fields)
        assert.is_nil(err, what)
        assert.equal("It rains äöü 🌧\n\"now\"", response.content, what)
        assert.equal("let me look", response.reasoning, what)
        assert.equal("stop", response.finish_reason, what)
        assert.equal("m", response.model, what)
        assert.same({ 12, 7 }, { response.usage.input_tokens, response.usage.output_tokens }, what)
        if name ~= "ollama" then assert.equal(3, response.usage.cached_tokens, what) end
        if name == "openrouter" then assert.equal(0.25, response.cost.usd, what) end
      end)
    end)

    case("tool calls, parallel, with text before them", function()
      local NOTE = "äöü 🌧 and more than a fragment"
      serve { content = "I look.", tool_calls = {
        { name = "weather", arguments = { city = "Oslo", note = NOTE } }, { name = "now" },
      } }
      each(function(name, fields, what)
        local response = assert(ask(name, fields))
        assert.equal("I look.", response.content, what)
        assert.equal("tool_calls", response.finish_reason, what)
        assert.equal(2, #response.tool_calls, what)
        assert.same({ city = "Oslo", note = NOTE }, response.tool_calls[1].arguments, what)
        assert.same({ "now", nil }, { response.tool_calls[2].name, next(response.tool_calls[2].arguments) }, what)
      end)
    end)

    case("tool calls alone", function()
      serve { tool_calls = { { name = "now" } } }
      each(function(name, fields, what)
        local response = assert(ask(name, fields))
        assert.same({ "", "now" }, { response.content, response.tool_calls[1].name }, what)
      end)
    end)

    case("an answer cut at its length, and an empty one", function()
      serve { { content = "cut", finish_reason = "length" } }
      each(function(name, fields, what)
        assert.equal("length", assert(ask(name, fields)).finish_reason, what)
      end)
      server:close()
      serve ""
      each(function(name, fields, what) assert.equal("", assert(ask(name, fields)).content, what) end)
    end)

    case("no usage where the script sends none", function()
      serve { content = "x", usage = false }
      each(function(name, fields, what)
        local response = assert(ask(name, fields))
        if name ~= "anthropic" then assert.is_nil(response.usage.output_tokens, what) end
      end)
    end)

    case("errors, with the delay that they ask for", function()
      local kinds = { [400] = "permanent", [401] = "auth", [404] = "permanent", [429] = "rate_limited",
        [500] = "transient", [503] = "overloaded" }
      for status, kind in pairs(kinds) do
        serve { error = { status = status, message = "No, not now.", retry_after_ms = 1500 } }
        each(function(name, fields, what)
          local response, err = ask(name, fields)
          assert.is_nil(response, what)
          assert.same({ kind, status, "No, not now." }, { err.kind, err.status, err.reason }, what)
          if status == 429 then assert.equal(1500, err.retry_after_ms, what) end
        end)
        server:close()
      end
    end)

    case("what the vendor says of a retry", function()
      serve { error = { status = 500, should_retry = false } }
      local _, err = ask "anthropic"
      assert.is_false(err.retryable)
    end)

    case("an error inside a 200", function()
      serve { content = "a b c d", fault = "error_in_200", after = 2, error = { status = 503, message = "Gone." } }
      each(function(name, fields, what)
        local _, err = ask(name, fields)
        assert.equal("Gone.", err.reason, what)
        assert.equal(200, err.status, what)
        if fields.stream then assert.equal("a b", err.context.partial.content, what) end
      end)
    end)

    case("a stream without its end, and JSON without its last brace", function()
      serve { content = "a b c d", fault = "no_done" }
      each(function(name, fields, what)
        local _, err = ask(name, fields)
        assert.equal("transient", err.kind, what)
        if fields.stream then assert.equal("a b c d", err.context.partial.content, what) end
      end)
    end)

    case("bodies that are no answer", function()
      for _, fault in ipairs { "html", "empty", "garbage" } do
        serve { content = "a b", fault = fault }
        each(function(name, fields, what)
          local _, err = ask(name, fields)
          assert.same({ "transient", "unreadable_body" }, { err.kind, err.code }, what .. " " .. fault)
        end)
        server:close()
      end
    end)

    case("slowly, in chunks that are cut anywhere", function()
      serve { content = "äöü 🌧 round the clock", fault = "slow", chunk_delay_ms = 0, tool_calls = { { name = "now" } } }
      each(function(name, fields, what)
        assert.equal("äöü 🌧 round the clock", assert(ask(name, fields)).content, what)
      end)
    end)

    case("and knows what was asked, wherever a protocol puts it", function()
      local seen
      serve(function(request) seen = request return "x" end)
      local schema = { type = "object", properties = { a = { type = "string" } }, required = { "a" },
        additionalProperties = false }
      local call = { id = "c1", name = "now", arguments = {}, raw = "{}" }
      for _, name in ipairs(asking.protocols) do
        assert(ask(name, { model = "gemini-2.5-pro", schema = schema, schema_name = "s", messages = {
          { role = "system", content = "You are a pirate." }, { role = "user", content = "Hi" },
          { role = "assistant", content = "", tool_calls = { call } },
          { role = "tool", tool_call_id = "c1", name = "now", content = "twelve" },
        } }))
        assert.same({ "system", "You are a pirate." }, { seen.messages[1].role, seen.messages[1].content }, name)
        assert.same({ "user", "Hi" }, { seen.messages[2].role, seen.messages[2].content }, name)
        assert.matches("twelve", seen.messages[#seen.messages].content, name)
        assert.equal("gemini-2.5-pro", seen.model)
        if name ~= "anthropic" then assert.equal("string", seen.schema.properties.a.type, name) end
      end
    end)
  end)

  case("closes, resets, hangs and falls silent", function()
    local codes = { refuse_connection = "ERESET", cut_before = "ERESET", cut = "ECUT", reset = "ECUT",
      hang = "EFIRSTBYTE", silence = "ESILENCE" }
    for fault, code in pairs(codes) do
      serve { content = "a b c d e f", fault = fault }
      for _, stream in ipairs { false, true } do
        local _, err = ask("openai_chat", { stream = stream }, 200)
        assert.equal(code, err.code, fault)
      end
      assert.is_true(helper.settle(function() return server:stats().in_flight == 0 end))
      assert.equal(2, server:stats().by_fault[fault])
      server:close()
    end
  end)

  case("waits before the answer and between its pieces", function()
    serve({ stream = { "a", "b", "c" }, delay_ms = 20, chunk_delay_ms = 20 }, { latency_ms = 20 })
    local before = uv.hrtime()
    assert.equal("abc", ask("openai_chat", { stream = true }).content)
    assert.is_true((uv.hrtime() - before) / 1e6 >= 79)
  end)

  case("streams Gemini without alt=sse as one array", function()
    serve "a b"
    local _, list = fetch("/v1beta/models/m:streamGenerateContent",
      { method = "POST", body = '{"contents":[{"parts":[{"text":"x"}]}]}' })
    assert.equal(3, #list)
    assert.equal("STOP", list[3].candidates[1].finishReason)
  end)

  -- ---- scripts ---------------------------------------------------------------------------------------

  case("answers without a script, by the built-in one", function()
    serve(nil)
    assert.matches("^%[offline%] m on \"How is the weather%?\"", ask("openai_chat").content)
  end)

  case("tells of a script that fails", function()
    serve(function() error "boo" end)
    local _, err = ask "anthropic"
    assert.equal(500, err.status)
    assert.matches("the mock's script failed: .*boo", err.reason)
  end)

  case("lets a script wait", function()
    serve(function() task.sleep(5) return "late" end)
    assert.equal("late", ask("ollama", { stream = true }).content)
  end)

  -- ---- HTTP ------------------------------------------------------------------------------------------

  describe("as an HTTP server", function()
    local BODY = '{"model":"m","messages":[{"role":"user","content":"x"}]}'
    local POST = ("POST /v1/chat/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s"):format(#BODY, BODY)

    case("keeps connections alive, and answers what comes at once in order", function()
      serve { "one", "two", "three" }
      local text = raw(POST .. POST .. POST:gsub("\r\n", "\r\nConnection: close\r\n", 1))
      assert.equal(3, count(text, "HTTP/1.1 200 OK"))
      assert.is_true(text:find "one" < text:find "two" and text:find "two" < text:find "three")
      assert.equal(1, server:stats().connections)
    end)

    case("says when to go on", function()
      serve "yes"
      local head, body = POST:match "^(.-\r\n)(\r\n.*)$"
      local text = raw({ head .. "Expect: 100-continue\r\n\r\n" }, function(t) return t:find "100 Continue" end)
      assert.matches("^HTTP/1.1 100 Continue\r\n\r\n$", text)
      text = raw({ head .. "Expect: 100-continue\r\nConnection: close\r\n" .. body })
      assert.is_nil(text:find "100 Continue")
      assert.matches("yes", text)
    end)

    case("ends a stream with the connection where HTTP/1.0 asks", function()
      serve "one two"
      local body = BODY:gsub("{", '{"stream":true,', 1)
      local text = raw(("POST /v1/chat/completions HTTP/1.0\r\nContent-Length: %d\r\n\r\n%s"):format(#body, body))
      assert.is_nil(text:lower():find("transfer-encoding", 1, true))
      assert.matches("data: %[DONE%]\n\n$", text)
    end)

    case("refuses what is malformed or too large, and closes", function()
      serve("x", { max_body_bytes = 100, max_header_bytes = 1000 })
      assert.matches("^HTTP/1.1 400 ", raw "nonsense\r\n\r\n")
      assert.matches("^HTTP/1.1 413 ", raw("POST / HTTP/1.1\r\nContent-Length: 5000\r\n\r\n" .. ("x"):rep(5000)))
      assert.matches("^HTTP/1.1 431 ", raw("GET / HTTP/1.1\r\nx: " .. ("y"):rep(5000)))
    end)

    case("names the nearest path, and the method that a path takes", function()
      serve "x"
      local exchange, body = fetch("/v1/chat/completion", { method = "POST", body = BODY })
      assert.equal(404, exchange.status)
      assert.matches("did you mean '/v1/chat/completions'", body.error.message)
      exchange, body = fetch "/v1/messages"
      assert.same({ 405, "POST" }, { exchange.status, exchange.headers.allow })
      assert.matches("takes POST, not GET", body.error.message)
    end)

    case("answers HEAD without a body", function()
      serve "x"
      local exchange = fetch("/healthz", { method = "HEAD" })
      assert.equal(200, exchange.status)
      assert.equal("ok", select(2, fetch "/healthz").status)
    end)

    case("refuses requests that a vendor would refuse, in its words", function()
      serve "x"
      local cases = {
        { "/v1/chat/completions", '{"messages":[]}', "model" }, { "/v1/chat/completions", '{"model":"m"}', "messages" },
        { "/v1/responses", '{"model":"m"}', "input" }, { "/v1/messages", BODY, "anthropic%-version" },
        { "/v1beta/models/m:generateContent", "{}", "contents" }, { "/api/chat", "{}", "model is required" },
        { "/v1/chat/completions", "{", "parse the JSON" }, { "/v1/chat/completions", "5", "no object" },
      }
      for _, entry in ipairs(cases) do
        local exchange = fetch(entry[1], { method = "POST", body = entry[2] })
        assert.equal(400, exchange.status, entry[1])
        assert.matches(entry[3], exchange.body)
      end
      local version = { ["anthropic-version"] = "1" }
      local exchange = fetch("/v1/messages", { method = "POST", body = BODY, headers = version })
      assert.matches("max_tokens: Field required", exchange.body)
    end)

    case("stops working on an answer when its client goes", function()
      local reached = false
      serve(function() task.sleep(60000) reached = true return "x" end)
      local client = uv.new_tcp()
      client:connect("127.0.0.1", server.port, function() client:write(POST) end)
      assert.is_true(helper.settle(function() return server:stats().in_flight == 1 end))
      client:close()
      assert.is_true(helper.settle(function() return server:stats().in_flight == 0 end))
      assert.is_false(reached)
      assert.same({ none = 1 }, server:stats().by_status)
      assert.equal(0, server:stats().open_connections)
    end)

    case("waits for a client that reads slowly", function()
      serve { stream = { ("x"):rep(4 * 1024 * 1024), ("y"):rep(4 * 1024 * 1024) }, chunk_delay_ms = 1 }
      local client, size, reading = uv.new_tcp(), 0, false
      client:connect("127.0.0.1", server.port, function() client:write((POST:gsub('"model"', '"stream":true,"model"')
        :gsub("Length: %d+", "Length: " .. #BODY + 14))) end)
      helper.run(function()
        helper.wait_for(function() return server:stats().in_flight == 1 end)
        task.sleep(50)
        assert.equal(1, server:stats().in_flight)
        client:read_start(function(_, data) size = size + #(data or "") reading = true end)
        while server:stats().in_flight > 0 or size <= 8 * 1024 * 1024 do task.sleep(5) end
      end)
      assert.is_true(reading)
      client:close()
    end)

    case("closes twice, with requests under way", function()
      serve { fault = "hang" }
      local client, ended = uv.new_tcp(), false
      client:connect("127.0.0.1", server.port, function()
        client:write(POST)
        client:read_start(function(_, data) ended = ended or not data end)
      end)
      assert.is_true(helper.settle(function() return server:stats().in_flight == 1 end))
      server:close()
      server:close()
      assert.is_true(helper.settle(function() return ended end))
      client:close()
    end)
  end)

  -- ---- what it tells ----------------------------------------------------------------------------------

  case("counts", function()
    serve { { content = "x", delay_ms = 300 }, { error = 429 } }
    helper.run(function()
      local body = json.encode { model = "m", messages = { { role = "user", content = "x" } } }
      local asked = {}
      for i = 1, 3 do
        asked[i] = function()
          local url = server.url .. "/v1/chat/completions"
          local exchange <close> = assert(curia_http.start { url = url, method = "POST", body = body })
          exchange:next()
        end
      end
      local _, errors = task.all(asked)
      assert.same({}, errors)
    end)
    local _, stats = fetch "/stats"
    assert.same({ 3, 0 }, { stats.requests, stats.in_flight })
    assert.is_true(stats.max_in_flight >= 2)
    assert.same({ ["/v1/chat/completions"] = 3 }, stats.by_path)
    assert.same({ ["200"] = 1, ["429"] = 2 }, stats.by_status)
    assert.is_true(stats.bytes_in > 100 and stats.bytes_out > 500 and stats.connections >= 2)
    fetch "/stats?reset=1"
    assert.equal(0, server:stats().requests)
  end)

  case("remembers the last requests without their keys", function()
    serve("x", { keep = 2 })
    for _, name in ipairs { "anthropic", "gemini", "openai_chat" } do ask(name) end
    fetch("/v1beta/models/m:generateContent?key=sk-very-secret", { method = "POST", body = '{"contents":[{}]}' })
    local exchange, body = fetch "/requests"
    assert.equal(2, #body.requests)
    assert.same({ "openai_chat", "m", "How is the weather?" }, { body.requests[1].protocol, body.requests[1].model,
      body.requests[1].body.messages[1].content })
    assert.is_nil(exchange.body:find("very-secret", 1, true))
    assert.equal(2, #server:requests())
  end)

  case("tells a log", function()
    local lines = {}
    serve({ content = "x", fault = "cut" }, { log = function(record) lines[#lines + 1] = record end })
    ask "openai_chat"
    assert.is_true(helper.settle(function() return #lines == 1 end))
    assert.same({ "/v1/chat/completions", 200, "cut" }, { lines[1].path, lines[1].status, lines[1].fault })
    assert.is_number(lines[1].duration_ms)
  end)

  case("lists models in each vendor's shape", function()
    serve { rules = { { match = { model = "big" }, answer = "x" } } }
    assert.equal("big", select(2, fetch "/v1/models").data[1].id)
    assert.equal("big", select(2, fetch "/api/v1/models").data[1].id)
    local version = { ["anthropic-version"] = "1" }
    assert.equal("big", select(2, fetch("/v1/models", { headers = version })).data[1].display_name)
    assert.equal("models/big", select(2, fetch "/v1beta/models").models[1].name)
    assert.equal("big", select(2, fetch "/api/tags").models[1].name)
  end)

  -- ---- starting ---------------------------------------------------------------------------------------

  case("refuses wrong options, wrong scripts and addresses that are taken", function()
    assert.has_error(function() mock.start { prot = 1 } end, "unknown option 'prot'; did you mean 'port'?")
    local none, err = mock.start { script = { contnt = "x" } }
    assert.is_nil(none)
    assert.matches("did you mean 'content'", err.message)
    serve "x"
    none, err = mock.start { port = server.port }
    assert.is_nil(none)
    assert.matches("cannot listen on 127.0.0.1:%d+: .*in use", err.message)
    none, err = mock.start { listen = "not an address" }
    assert.is_nil(none)
    assert.matches("cannot listen on not an address", err.message)
  end)

  -- ---- the command --------------------------------------------------------------------------------------

  describe("curia mock", function()
    -- Runs the program; `act(url, process)` is called with its first line.
    local function run(args, act)
      local out, errs, over = uv.new_pipe(false), uv.new_pipe(false), task.signal()
      local said, complained, code = "", "", nil
      local process
      process = uv.spawn(uv.exepath(), { args = { "mock", table.unpack(args) }, stdio = { nil, out, errs } },
        function(status, signal) code = signal ~= 0 and -signal or status over:notify() end)
      out:read_start(function(_, data)
        local first = not said:find "\n"
        said = said .. (data or "")
        if act and first and said:find "\n" then task.spawn(act, said:match "^[^\n]+", process) end
      end)
      errs:read_start(function(_, data) complained = complained .. (data or "") end)
      helper.run(function() while code == nil do over:wait() end end)
      helper.settle(function() return not out:is_active() and not errs:is_active() end)
      for _, handle in ipairs { process, out, errs } do handle:close() end
      return code, said, complained
    end

    case("says where it is, serves, and ends when it is told to", function()
      for _, signal in ipairs { "sigterm", "sigint" } do
        local status
        local code, said, complained = run({ "examples/mock_script.lua", "--log" }, function(url, process)
          local exchange <close> = assert(curia_http.start { url = url .. "/healthz" })
          exchange:next()
          status = exchange.status
          process:kill(signal)
        end)
        assert.same({ 0, 200, "" }, { code, status, complained })
        assert.matches("^http://127%.0%.0%.1:%d+\n$", said)
      end
    end)

    case("tells in JSON", function()
      local code, said = run({ "--json", "--port", "0" }, function(_, process) process:kill "sigterm" end)
      assert.equal(0, code)
      assert.equal("http://127.0.0.1:" .. json.decode(said).port, json.decode(said).url)
    end)

    case("helps, and complains", function()
      local code, said = run { "--help" }
      assert.equal(0, code)
      assert.matches("^curia mock %[SCRIPT%]", said)
      local complained
      local faults = {
        [{ "--prot", "1" }] = "did you mean '%-%-port'", [{ "--port", "x" }] = "a port, 0 to 65535",
        [{ "--latency-ms", "-1" }] = "0 or more", [{ "a", "b" }] = "one script is enough",
      }
      for args, pattern in pairs(faults) do
        code, said, complained = run(args)
        assert.same({ 64, "" }, { code, said })
        assert.matches(pattern, complained)
      end
      code, said, complained = run { "no/such.lua" }
      assert.same({ 1, "" }, { code, said })
      assert.matches("no/such.lua", complained)
    end)
  end)
end)
