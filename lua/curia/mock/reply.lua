--- One reply of the mock server: bytes are gathered and sent in as few writes as the delays allow.
local http = require "curia.mock.http"
local task = require "curia.task"

-- A reset may overtake the bytes that were sent before it.
local RESET_MS = 20

-- Gathered bytes are sent when there are more of them than this.
local BATCH = 64 * 1024

---@class curia.mock.Reply
---@field status? integer once the reply has begun
local Reply = {}
Reply.__index = Reply

local M = {}

--- A reply on a connection.
---@param connection curia.mock.Connection
---@param request? curia.mock.Request nil when it could not be read
---@return curia.mock.Reply
function M.new(connection, request)
  return setmetatable({ connection = connection, request = request, gathered = {}, size = 0 }, Reply)
end

--- Sends what has been gathered.
---@async
function Reply:flush()
  local bytes = table.concat(self.gathered)
  self.gathered, self.size = {}, 0
  self.connection:send(bytes)
end

local function gather(self, bytes)
  self.gathered[#self.gathered + 1] = bytes
  self.size = self.size + #bytes
  if self.size > BATCH then self:flush() end
end

local function begin(self, status, headers)
  local keep = self.request and self.request.keep_alive
  headers.connection = keep and "keep-alive" or "close"
  headers.date = os.date "!%a, %d %b %Y %H:%M:%S GMT"
  headers.server = "curia-mock"
  self.status = status
  gather(self, http.head(status, headers))
end

--- Begins a body of known length.
---@async
function Reply:sized(status, headers, length)
  headers["content-length"] = tostring(length)
  begin(self, status, headers)
end

--- Begins a body of unknown length; for HTTP/1.0 it ends with the connection.
---@async
function Reply:chunked(status, headers)
  headers["cache-control"] = "no-cache"
  if self.request.version == "1.0" then
    self.request.keep_alive = false
  else
    headers["transfer-encoding"], self.is_chunked = "chunked", true
  end
  begin(self, status, headers)
end

--- Adds to the body; a HEAD request gets none.
---@async
---@param bytes string
function Reply:add(bytes)
  if bytes == "" or self.request and self.request.method == "HEAD" then return end
  gather(self, self.is_chunked and http.chunk(bytes) or bytes)
end

--- Ends the body.
---@async
function Reply:finish()
  if self.is_chunked then gather(self, http.last_chunk) end
  self:flush()
end

--- A whole reply.
---@async
---@param status integer
---@param headers table<string, string>
---@param body string
function Reply:whole(status, headers, body)
  self:sized(status, headers, #body)
  self:add(body)
  self:finish()
end

--- Sends what there is, then waits.
---@async
---@param ms number
function Reply:pause(ms)
  if ms <= 0 then return end
  self:flush()
  task.sleep(ms)
end

--- Sends what there is and closes the connection in the middle of the reply.
---@async
function Reply:cut()
  self:flush()
  self.request.keep_alive = false
  self.connection:finish()
  self.connection:hold()
end

--- Sends what there is and resets the connection.
---@async
function Reply:reset()
  self:flush()
  task.sleep(RESET_MS)
  self.connection:reset()
end

--- Sends what there is and says no more until the client goes.
---@async
function Reply:hold()
  self:flush()
  self.connection:hold()
end

return M
