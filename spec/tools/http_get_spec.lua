local curia = require "curia"
local helper = require "spec.helper"
local http_get = require "curia.tools.http_get"
local uv = require "luv"

-- A server on the loopback address: `answers[path]` is {status, headers, body}.
local server

local function serve(answers)
  local listener = uv.new_tcp()
  listener:bind("127.0.0.1", 0)
  server = { listener = listener, clients = {}, seen = {}, port = listener:getsockname().port }
  listener:listen(16, function()
    local client, input = uv.new_tcp(), ""
    listener:accept(client)
    server.clients[#server.clients + 1] = client
    client:read_start(function(_, data)
      input = input .. (data or "")
      local path = input:match "^%u+ (%S+) .-\r\n\r\n"
      if not path then return end
      input = ""
      server.seen[#server.seen + 1] = path
      local answer = answers[path]
      if not answer then return end
      client:write(("HTTP/1.1 %d X\r\n%s\r\nContent-Length: %d\r\n\r\n%s"):format(answer[1], answer[2],
        #answer[3], answer[3]))
    end)
  end)
  return server
end

local function case(name, fn)
  it(name, function()
    finally(function()
      if not server then return end
      server.listener:close()
      for _, client in ipairs(server.clients) do
        if not client:is_closing() then client:close() end
      end
      server = nil
    end)
    fn()
  end)
end

local function here(path)
  return ("http://127.0.0.1:%d%s"):format(server.port, path or "/")
end

-- A tool for the server of the running test.
local function tool(opts)
  opts = opts or {}
  opts.hosts = opts.hosts or { "127.0.0.1:" .. server.port }
  if opts.allow_private == nil then opts.allow_private = true end
  return http_get.new(opts)
end

local function get(of, url)
  return helper.run(of.run, nil, { url = url })
end

local TEXT = "Content-Type: text/plain"

describe("http_get", function()
  case("gives the text of a page", function()
    serve { ["/a?b=c"] = { 200, "Content-Type: application/json", '{"x":1}' } }
    assert.equal('{"x":1}', get(tool(), here "/a?b=c"))
  end)

  case("refuses what is not public unless it is allowed, before anything is sent", function()
    serve { ["/"] = { 200, TEXT, "secret" } }
    local text, err = get(tool { allow_private = false }, here())
    assert.same({ nil, "EPRIVATE" }, { text, err.code })
    assert.same({}, server.seen)
    assert.equal("secret", get(tool(), here()))
  end)

  case("asks only hosts of the list, at their ports", function()
    serve {}
    for _, url in ipairs { "http://127.0.0.2/", "http://example.org/", "http://127.0.0.1:1/", "http://127.0.0.1/" } do
      local _, err = get(tool(), url)
      assert.matches("not among the hosts", err.message, nil, true)
    end
    local _, err = get(tool { hosts = { "*.example.org" } }, "http://badexample.org/")
    assert.matches("not among the hosts", err.message)
    assert.same({}, server.seen)
  end)

  case("takes plain addresses only", function()
    serve {}
    local faulty = { "ftp://127.0.0.1/", "file:///etc/passwd", "http://user@127.0.0.1/", "http://127.0.0.1\\@x/",
      "http://127.0.0.1 .x/", "127.0.0.1", "", 5, "http:///x" }
    for _, url in ipairs(faulty) do
      local _, err = get(tool(), url)
      assert.matches("must be a plain http or https address", err.message, nil, true)
    end
  end)

  case("follows redirects, each as allowed as the first", function()
    serve {
      ["/a/b"] = { 302, "Location: c?d=1", "" }, ["/a/c?d=1"] = { 301, "Location: /end", "" },
      ["/end"] = { 200, TEXT, "here" }, ["/out"] = { 302, "Location: http://169.254.169.254/latest", "" },
      ["/round"] = { 302, "Location: /round", "" }, ["/port"] = { 307, "Location: //127.0.0.1:1/x", "" },
    }
    assert.equal("here", get(tool(), here "/a/b"))
    for _, path in ipairs { "/out", "/port" } do
      assert.matches("not among the hosts", select(2, get(tool(), here(path))).message)
    end
    assert.matches("more than 5 redirects", select(2, get(tool(), here "/round")).message)
  end)

  case("checks the address of each redirect at the socket", function()
    serve { ["/"] = { 302, "Location: http://localhost:1/", "" } }
    local of = tool { hosts = { "127.0.0.1:" .. server.port, "localhost:1" } }
    assert.equal("ECONNECT", select(2, get(of, here())).code)
  end)

  case("gives texts only, and no errors of servers", function()
    serve { ["/png"] = { 200, "Content-Type: image/png", "x" }, ["/gone"] = { 410, TEXT, "gone" } }
    assert.matches("sent image/png, which is no text", select(2, get(tool(), here "/png")).message)
    assert.matches("answered with status 410", select(2, get(tool(), here "/gone")).message)
  end)

  case("has limits of size and time", function()
    serve { ["/big"] = { 200, TEXT, ("x"):rep(2000) } }
    assert.equal("ETOOBIG", select(2, get(tool { max_bytes = 1000 }, here "/big")).code)
    assert.equal("ETOTAL", select(2, get(tool { timeout = "50ms" }, here "/never")).code)
  end)

  it("is checked when it is made", function()
    assert.error_matches(function() http_get.new {} end, "no hosts")
    assert.error_matches(function() http_get.new { "http://example.org/" } end, "is no host")
    assert.error_matches(function() http_get.new { hosts = { "x" }, allow_privat = true } end,
      "did you mean 'allow_private'")
    assert.matches("Hosts: example.org, *.example.net.", curia.http_get({ "example.org", "*.example.net" }).about, nil, true)
  end)
end)
