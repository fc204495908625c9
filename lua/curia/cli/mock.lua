--- `curia mock`: a server that speaks the protocols of all providers and answers from a script.
local json = require "curia.json"
local mock = require "curia.mock"
local script = require "curia.script"
local suggest = require "curia.suggest"
local task = require "curia.task"

local M = {}

M.help = [[
usage: curia mock [OPTIONS]

A server that stands in for the model providers: it speaks the protocols of OpenAI (Chat Completions
and Responses), Anthropic, Gemini, Ollama and OpenRouter, and answers from a script, with streams,
delays, faults and tool calls. It prints its address when it is ready and runs until Ctrl-C.

  --script FILE     the script (without one: short answers that begin with "[offline]")
  --port N          the port (default 0: any that is free)
  --listen ADDRESS  the address (default 127.0.0.1: this machine only)
  --latency-ms N    wait before every answer
  --log             one line for each request, to stderr
  --json            the address, and the lines of --log, as JSON
  --help            this text

Point any client at it; every key is taken:

  OPENAI_BASE_URL=http://127.0.0.1:PORT/v1 OPENAI_API_KEY=any curia run council.lua "Ship on Friday?"
  ANTHROPIC_BASE_URL=http://127.0.0.1:PORT
  OLLAMA_HOST=127.0.0.1:PORT

A script is a Lua file that returns its answers:

  return {
    default = "It depends.",                             -- or an answer, a list, a function(request)
    rules = {                                            -- the first that matches answers
      { match = { model = "gpt-5" }, answer = { content = "Yes.", delay_ms = 300, chunk_delay_ms = 20 } },
      { match = { contains = "weather" },                -- in the last message
        answer = { { tool_calls = { { name = "weather", arguments = { city = "Oslo" } } } }, "It rains." } },
      { match = { system = "skeptic", n = 1 }, answer = { error = { status = 429, retry_after_ms = 500 } } },
      { match = { path = "/v1/messages" }, answer = { content = "Never ends", fault = "cut" } },
    },
  }

  match   member, model, round, contains, system, path, n; or a function(request) -> boolean
  answer  content, reasoning, stream = {"a", "b"} or pieces = n, delay_ms, chunk_delay_ms, tool_calls,
          usage, cost, finish_reason, model, error = {status, message, code, type, retry_after_ms,
          should_retry}, fault, after = pieces before the fault
  fault   refuse_connection, cut_before, cut, reset, hang, silence, slow, html, empty, garbage,
          error_in_200, no_done

  GET /stats      counts: requests, by path, by status, in flight, bytes (?reset=1 starts over)
  GET /requests   the last requests with their bodies, without secrets
  GET /healthz    whether it is up

examples/mock_script.lua is a script to start from.
]]

local USAGE = 64

-- Arguments ----------------------------------------------------------------------------------------

local function text(value) return value end

local function number(value)
  local parsed = math.tointeger(tonumber(value))
  return parsed and parsed >= 0 and parsed or nil, "a whole number"
end

local function port(value)
  local parsed = number(value)
  return parsed and parsed <= 65535 and parsed or nil, "a port, 0 to 65535"
end

-- Options with a value have a reader.
local OPTIONS = {
  ["--script"] = text, ["--listen"] = text, ["--port"] = port, ["--latency-ms"] = number,
  ["--log"] = false, ["--json"] = false, ["--help"] = false,
}

local function unknown(argument)
  if argument:sub(1, 1) ~= "-" then
    return nil, ("curia mock takes no '%s'; a script is given with --script FILE"):format(argument)
  end
  return nil, suggest.message("option", argument, OPTIONS)
end

local function read_value(name, value)
  if value == nil then return nil, name .. " needs a value" end
  local parsed, expected = OPTIONS[name](value)
  if parsed == nil then return nil, ("%s must be %s, not '%s'"):format(name, expected, value) end
  return parsed
end

--- Reads the command's arguments.
---@param args string[]
---@return table<string, any>? options by their names
---@return string? message
function M.parse(args)
  local options, i = {}, 1
  while i <= #args do
    local name, value = args[i]:match("^(%-%-[^=]+)=(.*)$")
    name = name or (args[i] == "-h" and "--help") or args[i]
    local reader = OPTIONS[name]
    if reader == nil then return unknown(args[i]) end
    if reader then
      if not value then i, value = i + 1, args[i + 1] end
      local parsed, message = read_value(name, value)
      if parsed == nil then return nil, message end
      options[name] = parsed
    else
      if value then return nil, name .. " takes no value" end
      options[name] = true
    end
    i = i + 1
  end
  return options
end

-- Running ------------------------------------------------------------------------------------------

local function line_of(record)
  return ("%s %s %s -> %s%s %.1f ms"):format(record.method, record.path, record.model or "-",
    record.status or "nothing", record.fault and " (" .. record.fault .. ")" or "", record.duration_ms)
end

local function brief(record)
  local copy = {}
  for _, name in ipairs { "at", "method", "path", "protocol", "model", "status", "fault", "duration_ms" } do
    copy[name] = record[name]
  end
  return json.encode(copy)
end

local function logger(options)
  if not options["--log"] then return nil end
  local line = options["--json"] and brief or line_of
  return function(record) io.stderr:write(line(record), "\n") end
end

local function start(options)
  local made, err
  if options["--script"] then
    made, err = script.load(options["--script"])
    if not made then return nil, err end
  end
  return mock.start {
    script = made, port = options["--port"], listen = options["--listen"], latency_ms = options["--latency-ms"],
    log = logger(options),
  }
end

local function announce(server, options)
  local line = options["--json"] and json.encode { url = server.url, port = server.port } or server.url
  io.stdout:write(line, "\n")
  io.stdout:flush()
end

-- Waits for Ctrl-C or SIGTERM.
local function wait_for_the_end()
  local uv, over, handles = require "luv", task.signal(), {}
  for i, name in ipairs { "sigint", "sigterm" } do
    handles[i] = uv.new_signal()
    handles[i]:start(name, function() over:notify() end)
  end
  over:wait()
  for _, handle in ipairs(handles) do handle:close() end
end

local function fail(message)
  io.stderr:write("curia mock: ", tostring(message), "\n")
  return USAGE
end

---@param args string[]
---@return integer exit code
function M.main(args)
  local options, message = M.parse(args)
  if not options then return fail(message .. "; curia mock --help tells more") end
  if options["--help"] then
    io.stdout:write(M.help)
    return 0
  end
  local server, err = start(options)
  if not server then
    fail(err.message)
    return 1
  end
  announce(server, options)
  wait_for_the_end()
  server:close()
  return 0
end

return M
