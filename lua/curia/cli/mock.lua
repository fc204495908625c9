--- `curia mock`: a server that speaks the protocols of all providers and answers from a script.
local json = require "curia.json"
local mock = require "curia.mock"
local script = require "curia.script"
local task = require "curia.task"
local usage = require "curia.cli.usage"

local M = {}

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
  if not options.log then return nil end
  local line = options.json and brief or line_of
  return function(record) io.stderr:write(line(record), "\n") end
end

local function start(options, path)
  local made, err
  if path then
    made, err = script.load(path)
    if not made then return nil, err end
  end
  return mock.start {
    script = made, port = options.port, listen = options.listen, latency_ms = options.latency_ms, log = logger(options),
  }
end

local function announce(server, options)
  local line = options.json and json.encode { url = server.url, port = server.port } or server.url
  io.stdout:write(line, "\n")
  io.stdout:flush()
end

-- What Ctrl-C and SIGTERM notify. It is set up before the address is told: whoever reads it may stop us.
local function the_end()
  local uv, over, handles = require "luv", task.signal(), {}
  for i, name in ipairs { "sigint", "sigterm" } do
    handles[i] = uv.new_signal()
    handles[i]:start(name, function() over:notify() end)
  end
  return over, handles
end

--- `curia mock [SCRIPT]`: prints the address when it is ready and serves until Ctrl-C or SIGTERM.
---@param options table
---@param rest string[] the script
---@return integer exit code
function M.main(options, rest)
  if options.script then table.insert(rest, 1, options.script) end
  if #rest > 1 then return usage.misused(("one script is enough, '%s' is another"):format(rest[2]), "mock") end
  local server, err = start(options, rest[1])
  if not server then
    io.stderr:write("curia: ", err.message, "\n")
    return 1
  end
  local over, handles = the_end()
  announce(server, options)
  over:wait()
  for _, handle in ipairs(handles) do handle:close() end
  server:close()
  return 0
end

return M
