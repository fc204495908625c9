--- An MCP server as a child process: one JSON message per line on its standard input and output.
local clock = require "curia.core.clock"
local errors = require "curia.errors"
local json = require "curia.json"
local task = require "curia.task"

local M = {}

local MOST_BYTES = 16 * 1024 * 1024 -- of one message
local MOST_NOISE = 10000 -- lines in a row that are no messages
local STDERR_BYTES = 2000           -- kept of what it says last
local PATIENCE_MS = 1500            -- for each step of its end

---@class curia.mcp.Stdio: curia.mcp.Transport
local Stdio = {}
Stdio.__index = Stdio

local decode = json.decoder { nulls = false }

-- ---- the end ------------------------------------------------------------------------------------------

-- The whole group: commands like npx start others.
local function kill(self, signal)
  if self.pid then self.uv.kill(-self.pid, signal) end
end

-- A runtime that closes cannot wait for good manners.
function Stdio:__gc()
  kill(self, "sigkill")
end

local function close_handle(handle)
  if handle and not handle:is_closing() then handle:close() end
end

local function wake_all(self)
  for _, waiting in pairs(self.waiting) do waiting.signal:notify() end
end

local function last_words(self)
  local words = self.complaint:gsub("%s+$", "")
  return words ~= "" and ": " .. words or ""
end

local function break_down(self, why)
  self.broken = self.broken or errors.new("tool", ("%s: %s"):format(self.name, why), { code = "server_ended" })
  wake_all(self)
end

local function on_exit(self, code, signal)
  kill(self, "sigkill") -- what it may have left behind
  self.pid = nil
  local how = signal ~= 0 and "signal " .. signal or "exit code " .. code
  break_down(self, ("the server ended with %s%s"):format(how, last_words(self)))
  for _, handle in ipairs { self.process, self.input, self.output, self.stderr } do close_handle(handle) end
  self.ended:notify()
end

--- Ends the server: its input is closed, then it is told to stop, then it is stopped.
---@async
function Stdio:close()
  self.broken = self.broken or errors.new("tool", self.name .. ": closed", { code = "server_ended" })
  wake_all(self)
  close_handle(self.input)
  for _, signal in ipairs { false, "sigterm", "sigkill" } do
    if signal then kill(self, signal) end
    local until_ms = clock.ms() + PATIENCE_MS
    while self.pid and clock.ms() < until_ms do self.ended:wait(until_ms - clock.ms()) end
    if not self.pid then return end
  end
end

--- Why the server can be used no more, or nil.
function Stdio:fault()
  return self.broken
end

-- ---- messages -----------------------------------------------------------------------------------------

local function send(self, message)
  if self.input:is_closing() then return end
  self.input:write(assert(json.encode(message)) .. "\n")
end

local function on_message(self, message)
  if message.method then
    local reply = self.on_message and self.on_message(message)
    if reply then send(self, reply) end
    return
  end
  local waiting = self.waiting[message.id]
  if not waiting then return end
  waiting.answer = message
  waiting.signal:notify()
end

-- What is no message is left out: some servers print greetings. But not for ever.
local function on_line(self, line)
  local message = line ~= "" and decode(line)
  self.noise = type(message) == "table" and 0 or self.noise + 1
  if self.noise == 0 then on_message(self, message) end
end

local function give_up(self, why)
  break_down(self, why)
  kill(self, "sigkill")
end

-- Hands on the lines that end in a chunk of output; gives what stands behind the last one.
local function take_lines(self, data)
  local from, at = 1, data:find("\n", 1, true)
  while at and self.noise <= MOST_NOISE do
    self.pieces[#self.pieces + 1] = data:sub(from, at - 1)
    local line = table.concat(self.pieces)
    self.pieces = {}
    on_line(self, line)
    from, at = at + 1, data:find("\n", at + 1, true)
  end
  return data:sub(from)
end

local function on_output(self, data)
  if not data or self.broken then return end
  local rest = take_lines(self, data)
  if self.noise > MOST_NOISE then
    return give_up(self, ("it sent %d lines that are no messages"):format(MOST_NOISE))
  end
  self.pieces[#self.pieces + 1] = rest
  self.size = #self.pieces == 1 and #rest or self.size + #rest
  if self.size > MOST_BYTES then give_up(self, ("it sent a message of more than %d bytes"):format(MOST_BYTES)) end
end

local function on_stderr(self, data)
  if data then self.complaint = (self.complaint .. data):sub(-STDERR_BYTES) end
end

-- Whoever gives up tells the server.
local Waiting = {}

function Waiting:__close()
  local server = self.server
  server.waiting[self.id] = nil
  if not next(server.waiting) and not server.output:is_closing() then server.output:unref() end
  if self.answer or server.broken then return end
  send(server, { jsonrpc = "2.0", method = "notifications/cancelled", params = { requestId = self.id } })
end

local function too_late(self, message, timeout_ms)
  return errors.new("timeout", ("%s: no answer to %s in %g ms%s"):format(self.name, message.method, timeout_ms,
    last_words(self)))
end

--- Sends a request and waits for its answer.
---@async
---@param message table
---@param timeout_ms? number
---@return table? answer
---@return curia.Error?
function Stdio:request(message, timeout_ms)
  if self.broken then return nil, self.broken end
  local waiting <close> = setmetatable({ server = self, id = message.id, signal = task.signal() }, Waiting)
  self.waiting[message.id] = waiting
  self.output:ref()
  send(self, message)
  local until_ms = timeout_ms and clock.ms() + timeout_ms
  while not waiting.answer do
    if self.broken then return nil, self.broken end
    local left_ms = until_ms and math.max(0, until_ms - clock.ms())
    if not waiting.signal:wait(left_ms) and not waiting.answer then return nil, too_late(self, message, timeout_ms) end
  end
  return waiting.answer
end

--- Sends what wants no answer.
---@param message table
---@return true?
---@return curia.Error?
function Stdio:notify(message)
  if self.broken then return nil, self.broken end
  send(self, message)
  return true
end

-- ---- the beginning ------------------------------------------------------------------------------------

local function environment(uv, more)
  if not more then return nil end
  local all, list = uv.os_environ(), {}
  for name, value in pairs(more) do all[name] = value end
  for name, value in pairs(all) do list[#list + 1] = name .. "=" .. value end
  return list
end

-- In a group of its own, so that Ctrl-C leaves it to us. It keeps the loop going only while
-- somebody waits for an answer.
local function spawn(self, spec)
  local uv = self.uv
  self.input, self.output, self.stderr = uv.new_pipe(false), uv.new_pipe(false), uv.new_pipe(false)
  local process, pid = uv.spawn("/bin/sh", {
    args = { "-c", spec.command }, stdio = { self.input, self.output, self.stderr }, detached = true,
    env = environment(uv, spec.env),
  }, function(code, signal) on_exit(self, code, signal) end)
  if not process then
    for _, handle in ipairs { self.input, self.output, self.stderr } do close_handle(handle) end
    return nil, errors.new("tool", ("%s: it cannot be started: %s"):format(self.name, tostring(pid)))
  end
  self.process, self.pid = process, pid
  for _, handle in ipairs { process, self.input, self.output, self.stderr } do handle:unref() end
  self.output:read_start(function(_, data) on_output(self, data) end)
  self.stderr:read_start(function(_, data) on_stderr(self, data) end)
  return self
end

--- Starts a server.
---@param spec {name: string, command: string, env?: table<string, string>}
---@return curia.mcp.Stdio?
---@return curia.Error?
function M.open(spec)
  local found, uv = pcall(require, "luv")
  if not found then return nil, errors.new("unsupported", spec.name .. ": a command needs luv, which is not there") end
  return spawn(setmetatable({
    uv = uv, name = spec.name, waiting = {}, pieces = {}, size = 0, noise = 0, complaint = "", ended = task.signal(),
  }, Stdio), spec)
end

return M
