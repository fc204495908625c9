--- One connection of the mock server: bytes in, one request after the other out, answers back.
--
-- Each request is answered in a task of its own, so that scripts and delays may wait; the task is
-- cancelled when the client goes.
local http = require "curia.mock.http"
local system = require "curia.core.system"
local task = require "curia.task"

-- Above so many unsent bytes an answer waits for its client.
local HIGH_WATER = 1024 * 1024

-- How long a client may go on sending after it was refused; closing at once would lose the refusal.
local LINGER_MS = 500

---@class curia.mock.Connection
local Connection = {}
Connection.__index = Connection

local M = {}

-- Sending ------------------------------------------------------------------------------------------

--- Sends bytes; waits while the client reads more slowly than the answer is made.
---@async
---@param bytes string
function Connection:send(bytes)
  if self.closed or bytes == "" then return end
  self.server:sent(#bytes)
  self.socket:write(bytes, function() self.drained:notify() end)
  while not self.closed and self.socket:get_write_queue_size() > HIGH_WATER do self.drained:wait() end
end

--- Waits until the client has gone.
---@async
function Connection:hold()
  while not self.closed do self.drained:wait() end
end

--- Closes at once; what has not been sent is lost.
function Connection:close()
  if self.closed then return end
  self.closed = true
  if not self.socket:is_closing() then self.socket:close() end
  self.server:forget(self)
  self.drained:notify()
  if self.task and self.task ~= task.current() then self.task:cancel "the connection is closed" end
end

--- Closes with a TCP reset.
function Connection:reset()
  if self.closed then return end
  self.socket:close_reset()
  self:close()
end

--- Closes when everything has been sent.
function Connection:finish()
  if self.closed then return end
  self.socket:shutdown(function() self:close() end)
end

-- Receiving ----------------------------------------------------------------------------------------

-- Says what is wrong, reads over what still comes, then closes.
local function refuse(self, fault)
  self.refused = true
  self.server:refuse(self, fault)
  if self.closed then return end
  self.socket:shutdown()
  task.sleep(LINGER_MS)
  self:close()
end

-- A fault of the server itself costs one connection; it is told in the log.
local function answer(self, request)
  local ok, problem = xpcall(self.server.answer, debug.traceback, self.server, self, request)
  if not ok then
    if not task.current():cancelled() then system.log("error", "the mock server failed: " .. tostring(problem)) end
    return self:close()
  end
  if not request.keep_alive then self:finish() end
end

-- Answers what has come, one request after the other, until more bytes are needed.
local function work(self)
  while not self.closed and not self.refused do
    local request, fault = self.parser:next()
    if fault then return refuse(self, fault) end
    if not request then break end
    answer(self, request)
  end
  if self.parser:wants_continue() then self:send "HTTP/1.1 100 Continue\r\n\r\n" end
end

-- The task ends when it has nothing to do; bytes that came meanwhile are looked at before.
local function start(self)
  if self.task then return end
  self.task = task.spawn(function()
    repeat
      self.more = false
      work(self)
    until not self.more
    self.task = nil
  end)
end

local function received(self, bytes)
  if self.closed then return end
  if not bytes then return self:close() end
  self.server:received(#bytes)
  if self.refused then return end
  self.parser:feed(bytes)
  self.more = true
  start(self)
end

--- Takes an accepted socket over.
---@param socket userdata
---@param server curia.mock.Server
---@return curia.mock.Connection
function M.new(socket, server)
  local self = setmetatable({
    socket = socket, server = server, parser = http.parser(server.limits), drained = task.signal(), closed = false,
  }, Connection)
  socket:nodelay(true)
  socket:read_start(function(_, bytes) received(self, bytes) end)
  return self
end

return M
