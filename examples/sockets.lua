--- A council behind a TCP socket: each line that comes in is a question, its answer goes out as a line of JSON.
--
--     curia lua examples/sockets.lua [PORT] [--real]        or: lua5.4 examples/sockets.lua ...
--     printf 'Ship on Friday?\n' | nc -q 5 127.0.0.1 PORT
--
-- luv's sockets and Curia's runs are on one loop. A callback of luv must not wait: it spawns a task, which may.
local curia = require "curia"
local json = require "curia.json"
local task = require "curia.task"
local uv = require "luv"

local port, real = tonumber(arg[1] or 0), arg[2] == "--real"
local LONGEST = 10000 -- bytes of a line

local panel = curia.council "panel" {
  profile = "fast",
  curia.member "optimist" { system = "You see what could go right." },
  curia.member "skeptic" { system = "You see what could go wrong." },
  curia.round "independent_analysis" {},
  curia.chair {},
}

local function reply(client, value)
  if not client:is_closing() then client:write(json.encode(value) .. "\n") end
end

-- In a task of its own: the client may go away meanwhile, which cancels it.
local function answer(client, question)
  local result, err = curia.run(panel, question, { offline = not real, deadline_ms = 60000 })
  if result and result.final then reply(client, { answer = result.final.content, status = result.status })
  else reply(client, { error = tostring(err) }) end
end

local function drop(client, tasks)
  for running in pairs(tasks) do running:cancel("the client has gone") end
  if not client:is_closing() then client:close() end
end

local function serve(client)
  local tasks, rest = setmetatable({}, { __mode = "k" }), ""
  client:read_start(function(err, chunk)
    if err or not chunk then return drop(client, tasks) end
    rest = rest .. chunk
    if #rest > LONGEST then return drop(client, tasks) end
    rest = rest:gsub("([^\n]*)\n", function(line)
      tasks[task.spawn_root(answer, client, (line:gsub("\r$", "")))] = true
      return ""
    end)
  end)
end

local server = uv.new_tcp()
assert(server:bind("127.0.0.1", port))
assert(server:listen(128, function(err)
  assert(not err, err)
  local client = uv.new_tcp()
  server:accept(client)
  serve(client)
end))
print("listening on 127.0.0.1:" .. server:getsockname().port)
io.stdout:flush()

if task.current() then task.signal():wait() else curia.loop() end
