--- The HTTP client: requests that run beside each other, over connections that are kept alive.
--
--     local exchange <close>, err = http.start{ url = "https://example.org/" }
--     local _, _, err = exchange:next()
--     print(exchange.status, exchange.body)
--
-- A request is never repeated and a redirect never followed; TLS is always verified. What goes wrong
-- in the world comes as an error value with a `code` (ECONNECT, ETLS, ESILENCE, ...) and with `sent`:
-- whether the request may have reached the server.
local core = require "curia.core.http"
local suggest = require "curia.suggest"

local M = {}

---@class curia.http.Request
---@field url string an http or https address
---@field method? "GET"|"HEAD"|"POST"|"PUT"|"PATCH"|"DELETE" unless said, POST with a body and GET without
---@field headers? table<string, string>
---@field body? string
---@field paths? userdata decoder paths: a streamed answer is decoded with these
---@field watch? boolean `next` tells of each batch of segments, not of the end only
---@field stream? boolean `next` tells of the body's bytes as they come (not with paths)
---@field public_only? boolean addresses that are not public (private, loopback, ...) get EPRIVATE; no proxy is used
---@field connect_timeout_ms? number 10000 unless said; 0, here as below: no limit
---@field first_byte_timeout_ms? number from sending the request to the first byte of the body
---@field silence_timeout_ms? number the longest gap after that; comments and pings are no bytes
---@field total_timeout_ms? number
---@field max_body_bytes? number 64 MiB unless said

---@class curia.http.Timing
---@field first_byte_ms? number
---@field total_ms number
---@field bytes integer of the body
---@field reused boolean sent on a connection that was there already
---@field version? "1.0"|"1.1"|"2"

---@class curia.http.Exchange
---@field status? integer
---@field headers? table<string, string> names in lower case
---@field body? string at the end, unless the answer was decoded
---@field sent boolean the request may have reached the server
---@field done boolean
---@field next fun(self): table?, boolean, curia.Error? async: segments, finished, error
---@field watch fun(self, on: boolean)
---@field cancel fun(self) whoever waits gets ECANCELLED
---@field close fun(self) cancels, and forgets the answer; also as a to-be-closed variable
---@field timing fun(self): curia.http.Timing

local settings = { ca_file = true, max_per_multi = true }

local function refuse_unknown(what, name, known)
  error(("http.%s: unknown option '%s'%s"):format(what, tostring(name), suggest.hint(name, known)), 3)
end

--- Begins a request. It is aborted when the exchange is closed or collected, and when the task that
--- waits for it is cancelled.
---@param options curia.http.Request
---@return curia.http.Exchange?
---@return curia.Error?
function M.start(options)
  local exchange, problem = core.start(options)
  if exchange == false then refuse_unknown("start", problem, core.options) end
  return exchange, problem
end

--- Reads the options of many requests once: all but body, paths and watch, which `send` is told.
---@param options curia.http.Request
---@return userdata prepared
function M.prepare(options)
  local prepared, problem = core.prepare(options)
  if not prepared then refuse_unknown("prepare", problem, core.options) end
  return prepared
end

--- Begins a prepared request, as `start` does. A table as the body is sent as JSON; where it cannot be
--- encoded the error's kind is "validation".
---@param prepared userdata of `prepare`
---@param body? string|table
---@param paths? userdata of a decoder, for a streamed answer
---@param watch? boolean whether its pieces are told as they come
---@return curia.http.Exchange?
---@return curia.Error? err
M.send = core.send

--- Waits for the end of an exchange that is neither decoded nor streamed: status, headers and body in
--- one; or nil and why it failed.
---@type fun(exchange: curia.http.Exchange): integer?, table<string, string>|curia.Error, string?
M.answer = core.answer

--- Changes the client. Connections that exist stay as they are.
---@param options { ca_file?: string, max_per_multi?: integer } the certificates to trust; how many
--- requests one libcurl handle carries at once
---@return boolean?
---@return curia.Error?
function M.configure(options)
  for name in pairs(options) do
    if not settings[name] then refuse_unknown("configure", name, settings) end
  end
  return core.configure(options.ca_file, options.max_per_multi)
end

--- Figures of the client: `active` exchanges, open `sockets`, `exchanges` and `connections` so far.
---@return table<string, integer>
function M.stats()
  return core.stats()
end

return M
