local decoder = require "curia.core.decoder"
local errors = require "curia.errors"
local helper = require "spec.helper"
local http = require "curia.http"
local json = require "curia.json"
local task = require "curia.task"
local uv = require "luv"

local RESPONSE = "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s"

-- ---- a server in this process, on this loop --------------------------------------------------

-- Answers each request with `answer(client, head, body)`; `server.requests` counts them.
local function serve(answer)
  local listener = assert(uv.new_tcp())
  assert(listener:bind("127.0.0.1", 0))
  local server = { requests = 0, clients = {} }
  server.url = ("http://127.0.0.1:%d"):format(listener:getsockname().port)
  listener:listen(4096, function()
    local client, input = assert(uv.new_tcp()), ""
    listener:accept(client)
    server.clients[client] = true
    client:read_start(function(_, chunk)
      input = input .. (chunk or "")
      local head, rest = input:match "^(.-\r\n\r\n)(.*)$"
      local length = head and tonumber(head:lower():match "content%-length: (%d+)") or 0
      if not chunk and not client:is_closing() then client:close() end
      if not head or #rest < length then return end
      input = ""
      server.requests = server.requests + 1
      answer(client, head, rest)
    end)
  end)
  function server.close()
    listener:close()
    for client in pairs(server.clients) do
      if not client:is_closing() then client:close() end
    end
  end
  return setmetatable(server, { __close = server.close })
end

local function text(content, kind)
  return function(client) client:write(RESPONSE:format(kind or "text/plain", #content, content)) end
end

local function silent() end

local function get(url, options)
  local request = options or {}
  request.url = url
  local exchange = assert(http.start(request))
  local segments, finished, err = exchange:next()
  assert.is_true(finished)
  return exchange, err, segments
end

-- ---- servers of others -----------------------------------------------------------------------

local function has(program)
  return os.execute(("command -v %s >/dev/null 2>&1"):format(program)) == true
end

local function temporary_folder()
  return assert(uv.fs_mkdtemp "/tmp/curia-http-XXXXXX")
end

-- A self-signed certificate for 127.0.0.1.
local function make_certificate(folder)
  assert(os.execute(("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 " ..
    "-subj /CN=curia-test -addext subjectAltName=IP:127.0.0.1 -keyout %s/key.pem -out %s/cert.pem " ..
    "2>/dev/null"):format(folder, folder)))
end

local function spawn_server(program, args)
  local out = assert(uv.new_pipe(false))
  local process = assert(uv.spawn(program, { args = args, stdio = { nil, out, nil } }, function() end))
  local output = ""
  out:read_start(function(_, chunk) output = output .. (chunk or "") end)
  local server = {}
  assert(helper.settle(function()
    server.port = tonumber(output:match "PORT (%d+)")
    return server.port
  end), "the server did not start")
  function server.close()
    process:kill "sigkill"
    process:close()
    out:close()
  end
  return setmetatable(server, { __close = server.close })
end

local SECURE = [[
const fs = require("fs"), [folder, protocol] = process.argv.slice(1);
const options = {
  key: fs.readFileSync(folder + "/key.pem"), cert: fs.readFileSync(folder + "/cert.pem") };
const server = protocol === "h2" ? require("http2").createSecureServer({ ...options, allowHTTP1: true })
  : require("https").createServer(options);
let sessions = 0, requests = 0, connection;
server.on("secureConnection", socket => { sessions++; connection = socket; });
server.on("request", (req, res) => {
  requests++;
  if (req.url === "/never") return;
  if (req.url === "/cut") { res.write("some"); setTimeout(() => connection.destroy(), 30); return; }
  if (req.url === "/reset") { res.write("some"); setTimeout(() => req.stream.close(8), 30); return; }
  let body = "";
  req.on("data", d => body += d);
  req.on("end", () => setTimeout(() => res.end(JSON.stringify({ sessions, requests, body })), 20));
});
server.listen(0, "127.0.0.1", () => console.log("PORT " + server.address().port));
]]

local function secure_server(folder, protocol)
  return spawn_server("node", { "-e", SECURE, folder, protocol })
end

-- ---- the specs -------------------------------------------------------------------------------

describe("http.start", function()
  it("gives status, headers, body and timing", function()
    local server <close> = serve(function(client)
      client:write "HTTP/1.1 429 Slow\r\nRetry-After: 3\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 4\r\n\r\nwait"
    end)
    local exchange, err = get(server.url)
    assert.is_nil(err)
    assert.equal(429, exchange.status)
    assert.equal("wait", exchange.body)
    assert.equal("wait", exchange.body)
    assert.same({ ["retry-after"] = "3", ["x-a"] = "1, 2", ["content-length"] = "4" }, exchange.headers)
    assert.is_true(exchange.done and exchange.sent)
    local timing = exchange:timing()
    assert.equal(4, timing.bytes)
    assert.equal("1.1", timing.version)
    assert.is_false(timing.reused)
    assert.is_true(timing.first_byte_ms > 0 and timing.total_ms >= timing.first_byte_ms)
  end)

  it("has nothing to show before the answer", function()
    local server <close> = serve(silent)
    local exchange <close> = assert(http.start { url = server.url })
    assert.is_nil(exchange.status)
    assert.is_nil(exchange.headers)
    assert.is_nil(exchange.body)
    assert.is_false(exchange.done)
    assert.is_nil(exchange.no_such_field)
    assert.matches("under way", tostring(exchange))
  end)

  it("sends method, headers and body", function()
    local head, body
    local server <close> = serve(function(client, h, b)
      head, body = h, b
      client:write "HTTP/1.1 204 No Content\r\n\r\n"
    end)
    local exchange = get(server.url .. "/v1/x", { method = "PUT", headers = { ["X-Key"] = "k" }, body = "a\0b" })
    assert.equal(204, exchange.status)
    assert.equal("", exchange.body)
    assert.matches("^PUT /v1/x HTTP/1.1\r\n", head)
    assert.matches("\r\nX%-Key: k\r\n", head)
    assert.equal("a\0b", body)
    get(server.url, { body = "x" })
    assert.matches("^POST / ", head)
    get(server.url)
    assert.matches("^GET / ", head)
  end)

  it("names the nearest option when one is unknown", function()
    assert.error_matches(function() http.start { url = "http://x/", methd = "GET" } end,
      "http.start: unknown option 'methd'; did you mean 'method'?")
    assert.error_matches(function() http.configure { ca = "x" } end, "unknown option 'ca'")
  end)

  it("raises for options of a wrong type", function()
    local wrong = {
      { {}, "url: text expected" }, { { url = 1 }, "url: text expected, got number" },
      { { url = "http://x/", method = "get" }, "method: GET, HEAD" },
      { { url = "http://x/", headers = "a" }, "headers: table expected" },
      { { url = "http://x/", headers = { a = 1 } }, "headers: text expected" },
      { { url = "http://x/", headers = { "a" } }, "headers: text expected" },
      { { url = "http://x/", body = {} }, "body: string expected" },
      { { url = "http://x/", paths = {} }, "paths: decoder paths expected" },
      { { url = "http://x/", watch = 1 }, "watch: boolean expected" },
      { { url = "http://x/", total_timeout_ms = -1 }, "total_timeout_ms: number, 0 or more" },
      { { url = "http://x/", total_timeout_ms = 0 / 0 }, "total_timeout_ms: number, 0 or more" },
      { { url = "http://x/", max_body_bytes = 0 }, "max_body_bytes: positive number" },
    }
    for _, case in ipairs(wrong) do
      assert.error_matches(function() http.start(case[1]) end, case[2])
    end
  end)

  it("answers nil and an error for what no request can carry, without showing it", function()
    local exchange, err = http.start { url = "http://127.0.0.1/", headers = { authorization = "Bearer sk-1\n" } }
    assert.is_nil(exchange)
    assert.is_true(errors.is(err))
    assert.same({ "permanent", "EINVAL", false }, { err.kind, err.code, err.sent })
    assert.matches("'authorization'", err.message)
    assert.not_matches("sk%-1", err.message)
    exchange, err = http.start { url = "gopher://127.0.0.1/" }
    assert.is_nil(exchange)
    assert.equal("EINVAL", err.code)
  end)
end)

describe("an exchange", function()
  it("keeps its connection for the next one", function()
    local server <close> = serve(text "ok")
    local before = http.stats().connections
    for i = 1, 20 do assert.equal(i > 1, get(server.url):timing().reused) end
    assert.equal(1, http.stats().connections - before)
  end)

  it("runs beside others, in tasks", function()
    local server <close> = serve(function(client, head)
      local name = head:match "GET /(%w+)"
      client:write(RESPONSE:format("text/plain", #name, name))
    end)
    helper.run(function()
      local group = task.group()
      for i = 1, 100 do
        group:spawn(function() return get(server.url .. "/t" .. i).body == "t" .. i end)
      end
      for t in group:each() do assert.is_true(select(2, t:result())) end
    end)
    assert.equal(100, server.requests)
  end)

  it("may be awaited by several tasks, and again when it is over", function()
    local server <close> = serve(text "ok")
    local exchange = assert(http.start { url = server.url })
    local function await() return select(2, exchange:next()) end
    assert.same({ true, true }, helper.run(task.all, nil, { await, await }))
    assert.same({ nil, true }, { exchange:next() })
  end)

  it("that nobody keeps is aborted", function()
    local server <close> = serve(silent)
    http.start { url = server.url }
    assert.equal(1, http.stats().active)
    collectgarbage()
    collectgarbage()
    assert.equal(0, http.stats().active)
  end)

  it("closes once and for all", function()
    local server <close> = serve(text "ok")
    local exchange = get(server.url)
    exchange:close()
    exchange:close()
    assert.matches("closed", tostring(exchange))
    local _, finished, err = exchange:next()
    assert.is_true(finished)
    assert.is_nil(err)
  end)
end)

describe("a failed exchange", function()
  local function fails(url, code, kind, sent, options)
    local exchange, err = get(url, options)
    assert.is_true(errors.is(err), "no error")
    assert.same({ code, kind, sent }, { err.code, err.kind, err.sent })
    return err, exchange
  end

  it("says what was refused, with host and port", function()
    local err = fails("http://user:pass@127.0.0.1:1/secret?key=x", "ECONNECT", "transient", false)
    assert.matches("%(127%.0%.0%.1:1%)", err.message)
    for _, secret in ipairs { "pass", "secret", "key" } do assert.not_matches(secret, err.message) end
  end)

  it("says that a name is unknown", function()
    fails("http://no.such.host.invalid/", "ERESOLVE", "transient", false)
  end)

  it("says that the answer was cut, and keeps what came", function()
    local server <close> = serve(function(client)
      client:write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", function() client:close() end)
    end)
    local _, exchange = fails(server.url, "ECUT", "transient", true)
    assert.equal("abc", exchange.body)
  end)

  it("says that the server hung up without an answer, and is not repeated", function()
    local server <close> = serve(function(client) client:close() end)
    fails(server.url, "ERESET", "transient", true, { method = "POST", body = "x" })
    assert.equal(1, server.requests)
  end)

  it("is not repeated on a kept connection that dies (C10)", function()
    local served = {}
    local server <close> = serve(function(client)
      served[client] = (served[client] or 0) + 1
      if served[client] == 1 then text "first"(client) else client:close() end
    end)
    assert.equal("first", get(server.url, { method = "POST", body = "paid" }).body)
    fails(server.url, "ERESET", "transient", true, { method = "POST", body = "paid" })
    helper.settle(function() return server.requests > 2 end, 100)
    assert.equal(2, server.requests)
  end)

  it("says which limit was reached", function()
    local server <close> = serve(silent)
    local err = fails(server.url, "EFIRSTBYTE", "timeout", true, { first_byte_timeout_ms = 30 })
    assert.matches("30 ms", err.message)
    fails(server.url, "ETOTAL", "timeout", true, { total_timeout_ms = 30 })
    local halting <close> = serve(function(client) client:write "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab" end)
    fails(halting.url, "ESILENCE", "timeout", true, { silence_timeout_ms = 30, first_byte_timeout_ms = 5000 })
  end)

  it("does not take an answer of 100 MB into memory", function()
    local piece = ("x"):rep(1 << 20)
    local server <close> = serve(function(client)
      local sent = 0
      local function more()
        sent = sent + 1
        if sent <= 100 and not client:is_closing() then client:write(piece, more) end
      end
      client:write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", more)
    end)
    local before = uv.resident_set_memory()
    local err = fails(server.url, "ETOOBIG", "permanent", true, { max_body_bytes = 4 << 20 })
    assert.matches("4194304 bytes", err.message)
    assert.is_true(uv.resident_set_memory() - before < 40 << 20)
  end)

  it("gives HTML as it is, with its status", function()
    local server <close> = serve(function(client)
      client:write "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>"
    end)
    local exchange, err = get(server.url)
    assert.is_nil(err)
    assert.same({ 502, "<html>" }, { exchange.status, exchange.body })
  end)
end)

describe("cancelling", function()
  it("ends the exchange at once", function()
    local server <close> = serve(silent)
    local exchange = assert(http.start { url = server.url })
    exchange:cancel()
    assert.equal(0, http.stats().active)
    local _, finished, err = exchange:next()
    assert.is_true(finished)
    assert.same({ "ECANCELLED", "cancelled" }, { err.code, err.kind })
  end)

  it("the task that waits aborts the transfer", function()
    local closed = false
    local server <close> = serve(function(client)
      client:read_stop()
      client:read_start(function(_, chunk) closed = closed or not chunk end)
    end)
    local exchange
    local waiting = task.spawn(function()
      exchange = assert(http.start { url = server.url })
      exchange:next()
    end)
    helper.settle(function() return server.requests == 1 end)
    waiting:cancel "enough"
    local ok, err = waiting:await()
    assert.is_false(ok)
    assert.equal("cancelled", err.kind)
    assert.equal(0, http.stats().active)
    assert.is_true(exchange.done)
    assert.is_true(helper.settle(function() return closed end))
  end)

  it("by the deadline of a task works in every phase", function()
    local server <close> = serve(silent)
    local urls = { server.url, "http://no.such.host.invalid/" }
    for _, url in ipairs(urls) do
      for ms = 0, 20, 4 do
        local t = task.spawn(function() assert(http.start { url = url }):next() end)
        t:deadline(ms)
        t:await()
        assert.equal(0, http.stats().active)
      end
    end
  end)
end)

describe("a request that is for public addresses only", function()
  local function refused(url)
    local exchange, err = get(url, { public_only = true })
    assert.same({ "EPRIVATE", "permanent", false }, { err.code, err.kind, exchange.sent })
    return err
  end

  it("does not reach others, named or numbered", function()
    local server <close> = serve(text "secret")
    local port = server.url:match "%d+$"
    assert.matches("not a public one %(127%.0%.0%.1:" .. port, refused(server.url).message)
    refused("http://localhost:" .. port .. "/")
    refused("http://[::ffff:127.0.0.1]:" .. port .. "/")
    assert.equal(0, server.requests)
  end)

  it("does not reach them over a kept connection either", function()
    local server <close> = serve(text "secret")
    assert.equal("secret", get(server.url).body)
    refused(server.url)
    assert.equal(1, server.requests)
    assert.equal("secret", get(server.url).body)
  end)
end)

describe("a streamed answer", function()
  local paths = decoder.paths { framing = "sse", text = { "t" }, whole = { "end" } }
  local HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"

  local function event(content) return ('data: {"t":"%s"}\n\n'):format(content) end

  -- Sends the pieces with a pause between them, then hangs up.
  local function streaming(pieces)
    return serve(function(client)
      local timer, i = uv.new_timer(), 0
      client:write(HEAD)
      timer:start(10, 10, function()
        i = i + 1
        if not client:is_closing() then
          if pieces[i] then client:write(pieces[i]) else client:close() end
        end
        if client:is_closing() and not timer:is_closing() then timer:close() end
      end)
    end)
  end

  it("wakes its reader once, at the end, when it is not watched", function()
    local server <close> = streaming { event "first", event "a", event "b", "data: [DO", "NE]\n\n" }
    local exchange, err, segments = get(server.url, { paths = paths })
    assert.is_nil(err)
    assert.same({ "event", { t = "first" }, false, "text", "ab", false, "data", "[DONE]", false }, segments)
    assert.is_nil(exchange.body)
  end)

  it("comes in batches when it is watched", function()
    local server <close> = streaming { event "first", event "a", event "b", event "c" }
    local exchange = assert(http.start { url = server.url, paths = paths, watch = true })
    local batches, all, finished, err = 0, "", false, nil
    while not finished do
      local segments
      segments, finished, err = exchange:next()
      for i = 1, #segments, 3 do
        if segments[i] == "text" then all = all .. segments[i + 1] end
      end
      batches = batches + 1
    end
    assert.is_nil(err)
    assert.equal("abc", all)
    assert.is_true(batches >= 4, "only " .. batches)
  end)

  it("can be watched from some time on", function()
    local server <close> = streaming { event "first", event "a", event "b", event "c", event "d" }
    local exchange = assert(http.start { url = server.url, paths = paths })
    helper.settle(function() return exchange.status end)
    exchange:watch(true)
    local segments, finished = exchange:next()
    assert.is_false(finished)
    assert.equal("event", segments[1])
    exchange:watch(false)
    segments, finished = exchange:next()
    assert.is_true(finished)
    assert.equal("text", segments[1])
  end)

  it("keeps what came before it was cut", function()
    local server <close> = serve(function(client)
      client:write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 999\r\n\r\n" ..
        event "first" .. event "a", function() client:close() end)
    end)
    local _, err, segments = get(server.url, { paths = paths })
    assert.equal("ECUT", err.code)
    assert.same({ "event", { t = "first" }, false, "text", "a", false }, segments)
  end)

  it("is a plain body when the server answers in JSON, or with an error", function()
    local server <close> = serve(text('{"error":1}', "application/json"))
    local exchange, err, segments = get(server.url, { paths = paths, watch = true })
    assert.is_nil(err)
    assert.is_nil(segments)
    assert.equal('{"error":1}', exchange.body)
  end)

  it("is not kept alive by comments and pings", function()
    local ping = 'event: ping\ndata: {"type":"ping"}\n\n'
    local pieces = { event "first" }
    for _ = 1, 60 do pieces[#pieces + 1] = #pieces % 2 == 0 and ping or ": thinking\n\n" end
    local server <close> = streaming(pieces)
    local _, err = get(server.url, { paths = paths, silence_timeout_ms = 150 })
    assert.equal("ESILENCE", err.code)
  end)

  it("hands bytes on as they come, if asked", function()
    local server <close> = streaming { "one", "two", "three" }
    local exchange = assert(http.start { url = server.url, stream = true })
    local all, finished = "", false
    while not finished do
      local segments
      segments, finished = exchange:next()
      for i = 1, segments and #segments or 0, 3 do
        assert.equal("bytes", segments[i])
        all = all .. segments[i + 1]
      end
    end
    assert.equal("onetwothree", all)
    assert.equal("", exchange.body)
  end)
end)

describe("over TLS", function()
  local folder, missing

  setup(function()
    missing = not has "openssl" and "openssl" or not has "node" and "node"
    if missing then return end
    folder = temporary_folder()
    make_certificate(folder)
  end)

  teardown(function()
    if folder then os.execute("rm -r " .. folder) end
  end)

  local function trusting(fn)
    local own = os.getenv "SSL_CERT_FILE" or "/etc/ssl/certs/ca-certificates.crt"
    http.configure { ca_file = folder .. "/cert.pem" }
    local ok, err = pcall(fn)
    http.configure { ca_file = own }
    if not ok then error(err, 0) end
  end

  -- Needs the programs openssl and node.
  local function with_server(protocol, fn)
    return function()
      if missing then return pending("the program " .. missing .. " is not installed") end
      local server <close> = secure_server(folder, protocol)
      fn(("https://127.0.0.1:%d"):format(server.port), server)
    end
  end

  it("a certificate that nobody vouches for is refused", with_server("http/1.1", function(url)
    local _, err = get(url)
    assert.same({ "ETLS", "permanent", false }, { err.code, err.kind, err.sent })
    assert.matches("certificate", err.message)
  end))

  it("a certificate for another name is refused", with_server("http/1.1", function(url)
    trusting(function()
      local _, err = get((url:gsub("127%.0%.0%.1", "localhost")))
      assert.equal("ETLS", err.code)
    end)
  end))

  it("a CA file that is missing is named", with_server("http/1.1", function(url)
    http.configure { ca_file = folder .. "/none.pem" }
    local _, err = get(url)
    http.configure { ca_file = folder .. "/cert.pem" }
    assert.equal("ETLS", err.code)
    assert.matches("none.pem", err.message)
    trusting(function() end)
  end))

  it("HTTP/1.1 works, on a kept connection", with_server("http/1.1", function(url)
    trusting(function()
      for i = 1, 3 do
        -- (Node itself fails now and then on a second large body: HPE_PAUSED.)
        local exchange, err = get(url, { method = "POST", body = ("y"):rep(i == 1 and 100000 or 1000) })
        assert.is_nil(err)
        assert.matches('"sessions":1,"requests":' .. i, exchange.body)
        assert.same({ "1.1", i > 1 }, { exchange:timing().version, exchange:timing().reused })
      end
    end)
  end))

  it("HTTP/1.1 opens as many connections as there are requests at once", with_server("http/1.1", function(url)
    trusting(function()
      local exchanges = {}
      for i = 1, 20 do exchanges[i] = assert(http.start { url = url }) end
      for i = 1, 20 do
        local _, _, err = exchanges[i]:next()
        assert.is_nil(err)
        assert.equal(200, exchanges[i].status)
      end
    end)
  end))

  it("HTTP/2 carries many requests on one connection", with_server("h2", function(url)
    trusting(function()
      local exchanges = {}
      for i = 1, 50 do
        exchanges[i] = assert(http.start { url = url, method = "POST", body = "n" .. i })
      end
      for i = 1, 50 do
        local _, _, err = exchanges[i]:next()
        assert.is_nil(err)
        assert.matches('"sessions":1,', exchanges[i].body)
        assert.matches('"body":"n' .. i .. '"', exchanges[i].body)
        assert.equal("2", exchanges[i]:timing().version)
      end
    end)
  end))

  it("an HTTP/2 request can be cancelled while others go on", with_server("h2", function(url)
    trusting(function()
      local other = assert(http.start { url = url .. "/never" })
      get(url)
      other:cancel()
      local exchange, err = get(url)
      assert.is_nil(err)
      assert.equal("2", exchange:timing().version)
    end)
  end))

  for _, protocol in ipairs { "http/1.1", "h2" } do
    it("a connection cut in mid-answer is an error, in " .. protocol, with_server(protocol, function(url)
      trusting(function()
        local exchange, err = get(url .. "/cut")
        assert.same({ "ECUT", true }, { err.code, err.sent })
        assert.equal("some", exchange.body)
      end)
    end))
  end

  it("an HTTP/2 stream that is reset is an error", with_server("h2", function(url)
    trusting(function()
      local _, err = get(url .. "/reset")
      assert.same({ "ECUT", true }, { err.code, err.sent })
    end)
  end))

  it("a body of its own pace goes over HTTP/1.1", with_server("h2", function(url)
    trusting(function()
      local exchange = assert(http.start { url = url, stream = true })
      repeat local _, finished = exchange:next() until finished
      assert.equal("1.1", exchange:timing().version)
    end)
  end))
end)

describe("many exchanges", function()
  it("may wait at the same time, in little memory", function()
    local server <close> = serve(silent)
    local exchanges, count = {}, 500
    collectgarbage()
    for i = 1, count do
      exchanges[i] = assert(http.start { url = server.url, method = "POST", body = ("q"):rep(1500) })
    end
    assert.is_true(helper.settle(function() return server.requests == count end))
    assert.equal(count, http.stats().active)
    for i = 1, count do exchanges[i]:close() end
    assert.equal(0, http.stats().active)
  end)

  it("one after another leave nothing behind", function()
    local server <close> = serve(text "ok")
    for _ = 1, 200 do get(server.url) end
    local before = http.stats()
    for _ = 1, 2000 do get(server.url) end
    local after = http.stats()
    assert.same({ before.easies, before.multis, before.connections },
      { after.easies, after.multis, after.connections })
  end)
end)

describe("curia.http.prepare", function()
  it("reads options once for many requests", function()
    local heads = {}
    local server <close> = serve(function(client, head, body)
      heads[#heads + 1] = head
      text(body:upper(), "Text/Plain")(client)
    end)
    local prepared = http.prepare { url = server.url .. "/a", headers = { ["X-Team"] = "a" } }
    for _, body in ipairs { "one", "two" } do
      local exchange <close> = assert(http.send(prepared, body))
      local status, headers, answered = http.answer(exchange)
      assert.same({ 200, "Text/Plain", body:upper() }, { status, headers["content-type"], answered })
      assert.equal(answered, exchange.body)
    end
    local exchange <close> = assert(http.send(prepared))
    assert.equal(200, (http.answer(exchange)))
    assert.matches("^POST /a .*\r\nX%-Team: a\r\n", heads[2])
    assert.matches("^GET /a ", heads[3])
  end)

  it("sends a table as JSON", function()
    local server <close> = serve(function(client, _, body) text(body)(client) end)
    local prepared = http.prepare { url = server.url, method = "POST", headers = { ["content-type"] = "application/json" } }
    for _, body in ipairs { { b = { 1, 2 }, a = "x\n" }, { ("long"):rep(10000), ("é"):rep(9000) } } do
      local exchange <close> = assert(http.send(prepared, body))
      local _, _, answered = http.answer(exchange)
      assert.equal(json.encode(body), answered)
    end
    local exchange, err = http.send(prepared, { a = { print } })
    assert.is_nil(exchange)
    assert.equal("validation", err.kind)
    assert.equal("cannot encode a function at $.a[1]", err.message)
  end)

  it("decodes with the paths of the request", function()
    local server <close> = serve(text('data: {"a":1}\n\n', "text/event-stream"))
    local prepared = http.prepare { url = server.url }
    local exchange <close> = assert(http.send(prepared, "{}", decoder.paths { framing = "sse" }, false))
    local segments, finished = exchange:next()
    assert.is_true(finished)
    assert.same({ a = 1 }, segments[2])
  end)

  it("tells what is wrong when it is sent", function()
    local prepared = http.prepare { url = "ftp://127.0.0.1/", headers = { ["a b"] = "x" } }
    local exchange, err = http.send(prepared, "x")
    assert.is_nil(exchange)
    assert.equal("EINVAL", err.code)
    local refused <close> = assert(http.send(http.prepare { url = "http://127.0.0.1:9" }))
    local status, failure = http.answer(refused)
    assert.is_nil(status)
    assert.equal("ECONNECT", failure.code)
  end)

  it("refuses what it cannot take", function()
    assert.error_matches(function() http.prepare { url = "http://a", heders = {} } end, "http.prepare: unknown option 'heders'")
    assert.error_matches(function() http.prepare { url = "http://a", body = "x" } end, "are told to `send`")
    assert.error_matches(function() http.send({}, "x") end, "curia.http.prepared expected")
    assert.error_matches(function() http.send(http.prepare { url = "http://a" }, "x", {}) end, "decoder paths")
    assert.error_matches(function() http.answer(5) end, "curia.http.exchange expected")
  end)
end)
