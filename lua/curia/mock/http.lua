--- HTTP/1.1 as the mock server needs it: requests out of bytes, responses into bytes. No I/O.
local M = {}

local MAX_SIZE_LINE = 1024

---@class curia.mock.Request
---@field method string
---@field version "1.0"|"1.1"
---@field path string without the query
---@field query table<string, string>
---@field headers table<string, string> lower-case names
---@field body string
---@field keep_alive boolean

---@class curia.mock.Fault what is wrong with a request
---@field status integer
---@field message string

M.reasons = {
  [200] = "OK", [400] = "Bad Request", [401] = "Unauthorized", [402] = "Payment Required", [403] = "Forbidden",
  [404] = "Not Found", [405] = "Method Not Allowed", [408] = "Request Timeout", [409] = "Conflict",
  [413] = "Content Too Large", [422] = "Unprocessable Content", [429] = "Too Many Requests",
  [431] = "Request Header Fields Too Large", [500] = "Internal Server Error", [501] = "Not Implemented",
  [502] = "Bad Gateway", [503] = "Service Unavailable", [504] = "Gateway Timeout", [505] = "HTTP Version Not Supported",
  [529] = "Overloaded",
}

-- Responses ----------------------------------------------------------------------------------------

--- The first lines of a response.
---@param status integer
---@param headers table<string, string>
---@return string
function M.head(status, headers)
  local names, lines = {}, {}
  for name in pairs(headers) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do lines[i] = ("%s: %s\r\n"):format(name, headers[name]) end
  return ("HTTP/1.1 %d %s\r\n%s\r\n"):format(status, M.reasons[status] or "Status", table.concat(lines))
end

--- One chunk of a chunked body.
---@param bytes string not empty
---@return string
function M.chunk(bytes)
  return ("%x\r\n%s\r\n"):format(#bytes, bytes)
end

--- What ends a chunked body.
M.last_chunk = "0\r\n\r\n"

-- Requests -----------------------------------------------------------------------------------------

local function fault(status, message)
  return nil, { status = status, message = message }
end

local function decode_url(text)
  return (text:gsub("+", " "):gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

local function parse_target(target)
  local path, text = target:match("^(/[^?#]*)%??([^#]*)")
  if not path then return nil end
  local query = {}
  for pair in text:gmatch("[^&]+") do
    local name, value = pair:match("^([^=]*)=?(.*)$")
    query[decode_url(name)] = decode_url(value)
  end
  return path, query
end

local function parse_headers(lines)
  local headers = {}
  for line in lines:gmatch("([^\n]*)\n") do
    local name, value = line:match("^([%w!#$%%&'*+.^_`|~-]+):[ \t]*(.-)[ \t]*\r?$")
    if not name then return nil end
    name = name:lower()
    headers[name] = headers[name] and headers[name] .. ", " .. value or value
  end
  return headers
end

local function wants_keep_alive(version, headers)
  local told = (headers.connection or ""):lower()
  if told:find("close", 1, true) then return false end
  return version == "1.1" or told:find("keep-alive", 1, true) ~= nil
end

local function parse_head(text)
  local method, target, version, lines = text:match("^(%u+) (%S+) HTTP/(%d%.%d)\r?\n(.*)$")
  if not method then return fault(400, "this is no HTTP request") end
  if version ~= "1.1" and version ~= "1.0" then return fault(505, "only HTTP/1.1 is spoken here") end
  local path, query = parse_target(target)
  if not path then return fault(400, "the request's target is no path") end
  local headers = parse_headers(lines)
  if not headers then return fault(400, "a header line is malformed") end
  return {
    method = method, path = path, query = query, headers = headers, version = version,
    keep_alive = wants_keep_alive(version, headers),
  }
end

---@class curia.mock.Parser
local Parser = {}
Parser.__index = Parser

--- A parser of the requests of one connection.
---@param limits {max_header_bytes: integer, max_body_bytes: integer}
---@return curia.mock.Parser
function M.parser(limits)
  return setmetatable({ limits = limits, pending = "", parts = nil }, Parser)
end

--- Takes bytes as they come.
---@param bytes string
function Parser:feed(bytes)
  if self.parts then
    self.parts[#self.parts + 1] = bytes
    self.gathered = self.gathered + #bytes
  else
    self.pending = self.pending .. bytes
  end
end

local function too_large(limits)
  return fault(413, ("the body is larger than %d bytes"):format(limits.max_body_bytes))
end

-- How the body is framed: its length, or "chunked".
local function framing(headers, limits)
  local coding, length = headers["transfer-encoding"], headers["content-length"]
  if coding and length then return fault(400, "both content-length and transfer-encoding") end
  if coding then
    if coding:lower() == "chunked" then return "chunked" end
    return fault(501, "only the transfer coding 'chunked' is known here")
  end
  if not length then return 0 end
  local bytes = length:match("^%d+$") and math.tointeger(tonumber(length))
  if not bytes then return fault(400, "the content-length is no number") end
  if bytes > limits.max_body_bytes then return too_large(limits) end
  return bytes
end

local function read_head(self)
  local from, to = self.pending:find("\r?\n\r?\n")
  if (from or #self.pending) > self.limits.max_header_bytes then
    return fault(431, "the headers are larger than " .. self.limits.max_header_bytes .. " bytes")
  end
  if not from then return nil end
  local request, wrong = parse_head(self.pending:sub(1, from - 1) .. "\n")
  if not request then return nil, wrong end
  local frame, unclear = framing(request.headers, self.limits)
  if not frame then return nil, unclear end
  self.pending = self.pending:sub(to + 1)
  self.request, self.frame = request, frame
  self.expects = (request.headers.expect or ""):lower() == "100-continue" and self.pending == ""
  self.chunks, self.length = {}, 0
  return request
end

local function finish(self, body)
  local request = self.request
  self.request, self.frame, self.chunks, self.parts = nil, nil, nil, nil
  request.body = body
  return request
end

-- A long body is gathered in parts and joined once.
local function read_sized(self)
  if not self.parts then
    self.parts, self.gathered, self.pending = { self.pending }, #self.pending, ""
  end
  if self.gathered < self.frame then return nil end
  local all, size = table.concat(self.parts), self.frame
  self.pending = all:sub(size + 1)
  return finish(self, all:sub(1, size))
end

-- Takes a line off what is pending; nil when it is not there yet.
local function take_line(self)
  local line, to = self.pending:match("^([^\n]*)\n()")
  if line then self.pending = self.pending:sub(to) end
  return line and line:gsub("\r$", "")
end

-- The steps of a chunked body. Each returns true when it is done, nothing when it needs more bytes, or
-- nil and a fault.
local step = {}

function step.size(self)
  local line = take_line(self)
  if not line then
    if #self.pending > MAX_SIZE_LINE then return fault(400, "a chunk's size line is too long") end
    return nil
  end
  local digits = line:match("^0*(%x+)%s*$") or line:match("^0*(%x+)%s*;")
  if not digits then return fault(400, "a chunk's size is no hexadecimal number") end
  self.size = #digits <= 8 and tonumber(digits, 16) or math.huge
  self.length = self.length + self.size
  if self.length > self.limits.max_body_bytes then return too_large(self.limits) end
  self.step = self.size == 0 and "trailer" or "data"
  return true
end

function step.data(self)
  local rest = self.pending:match("^\r?\n()", self.size + 1)
  if not rest then
    if #self.pending < self.size + 2 then return nil end
    return fault(400, "a chunk does not end where its size says")
  end
  self.chunks[#self.chunks + 1] = self.pending:sub(1, self.size)
  self.pending, self.step = self.pending:sub(rest), "size"
  return true
end

function step.trailer(self)
  local line = take_line(self)
  if not line and #self.pending > self.limits.max_header_bytes then return fault(431, "the trailer is too large") end
  if line == "" then self.step = "done" end
  return line and true
end

local function read_chunked(self)
  self.step = self.step or "size"
  while self.step ~= "done" do
    local done, wrong = step[self.step](self)
    if not done then return nil, wrong end
  end
  self.step = nil
  return finish(self, table.concat(self.chunks))
end

--- The next request that is whole.
---@return curia.mock.Request? request nil when more bytes are needed
---@return curia.mock.Fault? fault when the connection cannot go on
function Parser:next()
  if not self.request then
    self.pending = self.pending:gsub("^[\r\n]+", "")
    local request, wrong = read_head(self)
    if not request then return nil, wrong end
  end
  if self.frame == "chunked" then return read_chunked(self) end
  return read_sized(self)
end

--- Whether the client waits to be told "100 Continue" before it sends the body; true once.
---@return boolean
function Parser:wants_continue()
  local expects = self.expects and self.request ~= nil
  self.expects = false
  return expects
end

return M
