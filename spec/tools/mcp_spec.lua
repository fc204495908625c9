local clock = require "curia.core.clock"
local curia = require "curia"
local helper = require "spec.helper"
local json = require "curia.json"
local mcp = require "curia.tools.mcp"
local task = require "curia.task"
local T = require "spec.engine.support"
local uv = require "luv"

local function command(behaviour)
  return ("'%s' lua spec/tools/mcp/server.lua %s"):format(helper.program, behaviour or "well")
end

-- Lists the tools of a set and gives them by name, as a task.
local function tools_of(set)
  return helper.run(function()
    local list, err = set.list()
    if not list then return nil, err end
    local by_name = {}
    for _, tool in ipairs(list) do by_name[tool.name] = tool end
    return by_name
  end)
end

local function call(tool, args)
  return helper.run(tool.run, nil, args or {})
end

-- A test that ends its servers, however it ends.
local server

local function case(name, fn)
  it(name, function()
    finally(function()
      helper.run(mcp.close)
      if server then server.close() end
      server = nil
    end)
    fn()
  end)
end

describe("an MCP server on stdio", function()
  case("lists its tools, page by page, under names that models can call", function()
    local tools = tools_of(curia.mcp(command()))
    assert.same({ "does echo", "object" }, { tools.echo.about, tools.echo.parameters.type })
    assert.is_not_nil(tools.name_with_spaces)
    assert.is_not_nil(tools.log)
    assert.equal("spaces", call(tools.name_with_spaces))
  end)

  case("is given up when its list has no end", function()
    local _, err = tools_of(curia.mcp(command "endless"))
    assert.matches("its list of tools has more than 100 pages", err.message)
  end)

  case("is given up when it floods its output", function()
    local began = clock.us()
    local tools, err = tools_of(curia.mcp "yes ''")
    assert.is_nil(tools)
    assert.equal("tool", err.kind)
    assert.matches("10000 lines that are no messages", err.message)
    assert.is_true(clock.us() - began < 30e6)
  end)

  case("answers calls with texts, data, or what stands for other content", function()
    local tools = tools_of(curia.mcp(command()))
    assert.equal("you said hi", call(tools.echo, { text = "hi" }))
    assert.same({ answer = 42 }, call(tools.data))
    assert.equal("a\n[image/png, not shown]\ninside\n[resource_link, not shown: file:///y]", call(tools.kinds))
  end)

  case("tells what went wrong as errors", function()
    local tools = tools_of(curia.mcp(command()))
    local _, err = call(tools.fail)
    assert.equal("tool", err.kind)
    assert.matches("it failed$", err.message)
  end)

  case("is started once for all that name the same command, and anew after its death", function()
    local one, two = tools_of(curia.mcp(command())), tools_of(curia.mcp { command = command() })
    local _, err = call(one.die)
    assert.matches("the server ended with exit code 7: out of luck$", err.message)
    assert.equal("you said again", call(two.echo, { text = "again" }))
    assert.matches("^notifications/initialized;", call(two.log))
  end)

  case("is answered when it asks, and asked anew when its tools change", function()
    local set = curia.mcp(command())
    local tools = tools_of(set)
    assert.equal("notifications/initialized;pinged", call(tools.log))
    assert.is_not_nil(tools_of(set).late)
  end)

  case("is told of calls that nobody waits for any more", function()
    local tools = tools_of(curia.mcp(command()))
    helper.run(function()
      local waiting = task.spawn(tools.hang.run, {})
      task.sleep(20)
      waiting:cancel()
      waiting:await()
    end)
    assert.equal("notifications/initialized,notifications/cancelled;pinged", call(tools.log))
  end)

  case("that cannot be started, says nothing, or is of another time is named", function()
    local _, err = tools_of(curia.mcp "no-such-program-of-the-spec")
    assert.matches('mcp "no%-such%-program%-of%-the%-spec": the server ended with exit code 127: ', err.message)
    _, err = tools_of(curia.mcp(command "ancient"))
    assert.matches("it speaks version 1999%-01%-01 of the protocol", err.message)
    _, err = tools_of(curia.mcp { command = command "mute", timeout = "100ms" })
    assert.equal("timeout", err.kind)
    assert.matches("no answer to initialize in 100 ms", err.message)
  end)

  case("offers only what its entry names, after approval where it says so", function()
    local tools = tools_of(curia.mcp { command = command(), only = { "data", "echo" }, approval = true })
    assert.is_true(tools.echo.approval)
    assert.is_not_nil(tools.data)
    assert.is_nil(tools.fail)
    local _, err = tools_of(curia.mcp { command = command(), only = { "ecko" } })
    assert.matches("unknown tool 'ecko'; did you mean 'echo'", err.message)
  end)

  case("has its own variables", function()
    local set = curia.mcp { command = "echo $SPEC_WORD >&2; exit 1", env = { SPEC_WORD = "given" } }
    assert.matches("exit code 1: given$", select(2, tools_of(set)).message)
  end)

  case("ends when it is told to, and is stopped when it does not", function()
    tools_of(curia.mcp(command "stubborn"))
    local began = uv.hrtime()
    helper.run(mcp.close)
    assert.is_true((uv.hrtime() - began) / 1e6 < 20000)
  end)

  case("ends with the runtime, in bounded time", function()
    local began = uv.hrtime()
    local output = helper.script(([[
      local set = curia.mcp(%q)
      print(#set.list())
      local pipe = io.popen "pgrep -f 'mcp/server.lua [s]tubborn' | wc -l"
      print(tonumber(pipe:read "a") > 0)
    ]]):format(command "stubborn"))
    assert.equal("8\ntrue\n", output)
    assert.is_true((uv.hrtime() - began) / 1e6 < 20000)
    helper.settle(function() return not os.execute "pgrep -f 'mcp/server.lua [s]tubborn' >/dev/null" end)
    assert.is_falsy(os.execute "pgrep -f 'mcp/server.lua [s]tubborn' >/dev/null")
  end)

  case("gives its tools to members", function()
    local told
    T.script(function(request)
      local last = request.messages[#request.messages]
      if last.role == "tool" then told = last.content end
      return last.role == "tool" and "done" or { tool_calls = { { name = "echo", arguments = { text = "hi" } } } }
    end)
    local set = curia.mcp(command())
    helper.run(function() assert.equal("ok", T.ask({ ids = { "a", "b" }, tools = { set } }).status) end)
    assert.equal("you said hi", told)
    local result = helper.run(T.ask, nil, { ids = { "a" }, tools = { curia.mcp "exit 1" } })
    assert.matches("exit code 1", result.rounds[1].results.a.error.message)
  end)
end)

-- ---- over HTTP ------------------------------------------------------------------------------------------

-- A server on the loopback address: `answer(message, head)` gives status, further headers and a body.
local function serve(answer)
  local listener = uv.new_tcp()
  listener:bind("127.0.0.1", 0)
  local made = { clients = {}, seen = {}, url = ("http://127.0.0.1:%d/mcp"):format(listener:getsockname().port) }
  listener:listen(16, function()
    local client, input = uv.new_tcp(), ""
    listener:accept(client)
    made.clients[#made.clients + 1] = client
    client:read_start(function(_, data)
      input = input .. (data or "")
      local head, body = input:match "^(.-\r\n\r\n)(.*)$"
      if not head or #body < (tonumber(head:match "[Cc]ontent%-[Ll]ength: (%d+)") or 0) then return end
      input = ""
      local message = body ~= "" and json.decode(body) or { method = head:match "^%u+" }
      made.seen[#made.seen + 1] = { message = message, head = head:lower() }
      local status, headers, text = answer(message, head:lower())
      client:write(("HTTP/1.1 %d X\r\n%sContent-Length: %d\r\n\r\n%s"):format(status, headers, #text, text))
    end)
  end)
  made.close = function()
    listener:close()
    for _, client in ipairs(made.clients) do
      if not client:is_closing() then client:close() end
    end
  end
  return made
end

local RESULTS = {
  initialize = { protocolVersion = "2025-06-18", capabilities = json.object() },
  ["tools/list"] = { tools = { { name = "echo", inputSchema = { type = "object" } } } },
  ["tools/call"] = { content = { { type = "text", text = "over HTTP" } } },
}

local JSON, SSE = "Content-Type: application/json\r\n", "Content-Type: text/event-stream\r\n"

local function reply(message)
  return json.encode { jsonrpc = "2.0", id = message.id, result = RESULTS[message.method] }
end

local function as_events(message)
  return SSE, ': hello\n\nevent: message\ndata: {"jsonrpc":"2.0","id":"p","method":"ping"}\n\ndata: '
    .. '{"jsonrpc":"2.0","method":"notifications/progress","params":{}}\n\ndata: ' .. reply(message) .. "\n\n"
end

local function answering(form)
  return function(message)
    if not RESULTS[message.method] then return 202, "", "" end
    local headers, body = form(message)
    if message.method == "initialize" then headers = headers .. "Mcp-Session-Id: s-1\r\n" end
    return 200, headers, body
  end
end

describe("an MCP server over HTTP", function()
  local function methods()
    local list = {}
    for i, seen in ipairs(server.seen) do list[i] = seen.message.method or "answer" end
    return list
  end

  case("answers with JSON, within a session", function()
    server = serve(answering(function(message) return JSON, reply(message) end))
    local tools = tools_of(curia.mcp(server.url))
    assert.equal("over HTTP", call(tools.echo))
    helper.run(mcp.close)
    assert.same({ "initialize", "notifications/initialized", "tools/list", "tools/call", "DELETE" }, methods())
    assert.is_nil(server.seen[1].head:find "mcp%-session%-id")
    for i = 2, 5 do
      assert.matches("mcp%-session%-id: s%-1", server.seen[i].head)
      assert.matches("mcp%-protocol%-version: 2025%-06%-18", server.seen[i].head)
    end
    assert.matches("accept: application/json, text/event%-stream", server.seen[1].head)
  end)

  case("answers with events, among which it may ask", function()
    server = serve(answering(as_events))
    local tools = tools_of(curia.mcp(server.url))
    assert.equal("over HTTP", call(tools.echo))
    assert.same({ "initialize", "answer", "notifications/initialized", "tools/list", "answer" },
      { table.unpack(methods(), 1, 5) })
    assert.same({ "p", true }, { server.seen[2].message.id, server.seen[2].message.result ~= nil })
  end)

  case("is sent the headers of its entry, with the secrets in them", function()
    server = serve(answering(function(message) return JSON, reply(message) end))
    local set = curia.mcp { url = server.url, headers = { Authorization = curia.env "HOME" } }
    tools_of(set)
    assert.matches("authorization: " .. os.getenv("HOME"):lower(), server.seen[1].head, nil, true)
  end)

  case("begins another session when the server has forgotten the first", function()
    local forgotten = false
    local good = answering(function(message) return JSON, reply(message) end)
    server = serve(function(message)
      if message.method == "tools/call" and not forgotten then
        forgotten = true
        return 404, JSON, "{}"
      end
      return good(message)
    end)
    local tools = tools_of(curia.mcp(server.url))
    assert.matches("status 404", select(2, call(tools.echo)).message)
    assert.equal("over HTTP", call(tools.echo))
  end)

  case("that is not there, refuses or answers nonsense is named", function()
    assert.matches('mcp "http://127%.0%.0%.1:1/": .*127%.0%.0%.1:1', select(2, tools_of(curia.mcp "http://127.0.0.1:1/")).message)
    server = serve(function() return 401, JSON, '{"error":"no token"}' end)
    assert.matches('status 401: {"error":"no token"}', select(2, tools_of(curia.mcp(server.url))).message)
    server.close()
    server = serve(function() return 200, JSON, "nonsense" end)
    assert.matches("holds no answer", select(2, tools_of(curia.mcp(server.url))).message)
  end)
end)

describe("the word mcp", function()
  it("takes a command or an address", function()
    assert.error_matches(function() curia.mcp {} end, "a command or a url is needed")
    assert.error_matches(function() curia.mcp { command = "x", url = "http://x" } end, "one of the two")
    assert.error_matches(function() curia.mcp { comand = "x" } end, "did you mean 'command'")
    assert.equal('mcp "npx x"', curia.mcp("npx x").about)
  end)
end)
