--- The tool `http_get`: reads a text from one of the hosts that are allowed (SPEC 26).
--
-- The host is checked against the list for the address and for every redirect; whether the address that is
-- connected to is a public one is checked by the HTTP client, at the socket, so that no name can lead elsewhere.
local clock = require "curia.core.clock"
local errors = require "curia.errors"
local http = require "curia.http"
local options = require "curia.engine.options"

local M = {}

local MAX_BYTES, TIMEOUT_MS, MAX_REDIRECTS = 256 * 1024, 20000, 5
local DEFAULT_PORT = { http = 80, https = 443 }

-- ---- addresses ------------------------------------------------------------------------------------

-- Stricter than URLs are: what two parsers could read in two ways is refused.
local function split_authority(text)
  local host, port = text:match "^([%w%.%-]+):?(%d*)$"
  if not host then host, port = text:match "^(%[[%x:%.]+%]):?(%d*)$" end
  return host and host:lower(), port
end

local function parse(url)
  local scheme, authority, rest = url:match "^(%a+)://([^/?#]+)([^#%s%c]*)"
  scheme = scheme and scheme:lower()
  if not DEFAULT_PORT[scheme] or url:find "[%s%c\\]" then return nil end
  local host, port = split_authority(authority)
  if not host then return nil end
  return { scheme = scheme, host = host, port = math.tointeger(tonumber(port)) or DEFAULT_PORT[scheme],
    authority = authority, rest = rest }
end

local function fits_host(allowed, host)
  if allowed:sub(1, 2) == "*." then return host:sub(-#allowed + 1) == allowed:sub(2) end
  return host == allowed
end

-- An entry without a port allows the scheme's own only.
local function is_allowed(hosts, place)
  for _, entry in ipairs(hosts) do
    local fits = fits_host(entry.host, place.host) and place.port == (entry.port or DEFAULT_PORT[place.scheme])
    if fits then return true end
  end
  return false
end

local function admit(hosts, url)
  local place = type(url) == "string" and parse(url)
  if not place then return nil, "url must be a plain http or https address" end
  if not is_allowed(hosts, place) then
    return nil, ("%s:%d is not among the hosts that may be read"):format(place.host, place.port)
  end
  return place
end

-- Where a redirect leads: RFC 3986, 5.2, without dot segments, which servers resolve themselves.
local function target(place, location)
  if location:find "^%a+://" then return location end
  if location:sub(1, 2) == "//" then return place.scheme .. ":" .. location end
  local origin = place.scheme .. "://" .. place.authority
  if location:sub(1, 1) == "/" then return origin .. location end
  local folder = place.rest:match "^([^?]*/)" or "/"
  return origin .. folder .. location
end

-- ---- reading --------------------------------------------------------------------------------------

local TEXT = { "^text/", "^application/json", "^application/xml", "^application/[%w%.%-]+%+json",
  "^application/[%w%.%-]+%+xml", "^application/javascript", "^application/x%-ndjson", "^application/yaml" }

local function is_text(kind)
  for _, pattern in ipairs(TEXT) do
    if kind:lower():find(pattern) then return true end
  end
  return false
end

local function fetch(url, opts, left_ms)
  local exchange <close>, err = http.start {
    url = url, method = "GET", headers = { accept = "text/*, application/json" }, public_only = not opts.allow_private,
    max_body_bytes = opts.max_bytes or MAX_BYTES, total_timeout_ms = left_ms, connect_timeout_ms = left_ms,
  }
  if not exchange then return nil, err end
  return http.answer(exchange)
end

local REDIRECT = { [301] = true, [302] = true, [303] = true, [307] = true, [308] = true }

-- The address that an answer sends us on to; nil when it is the answer itself.
local function redirected(place, status, headers)
  local location = REDIRECT[status] and headers.location
  return location and target(place, location)
end

local function text_of(place, status, headers, body)
  if status < 200 or status > 299 then return nil, ("%s answered with status %d"):format(place.host, status) end
  local kind = headers["content-type"] or "text/plain"
  if not is_text(kind) then return nil, ("%s sent %s, which is no text"):format(place.host, kind) end
  return body
end

local function get(hosts, opts, url)
  local place, problem = admit(hosts, url)
  local until_ms = clock.ms() + (opts.timeout_ms or TIMEOUT_MS)
  for _ = 0, MAX_REDIRECTS do
    if not place then return nil, problem end
    local status, headers, body = fetch(url, opts, math.max(1, until_ms - clock.ms()))
    if not status then return nil, headers end
    local from = place
    url = redirected(from, status, headers)
    if not url then return text_of(from, status, headers, body) end
    place, problem = admit(hosts, url)
    if place and from.scheme == "https" and place.scheme == "http" then
      return nil, ("%s redirects from https to http"):format(from.host)
    end
  end
  return nil, ("more than %d redirects"):format(MAX_REDIRECTS)
end

-- ---- the tool -------------------------------------------------------------------------------------

local OPTIONS = {
  hosts = { type = "list", required = true, nonempty = true, items = { type = "string", nonempty = true } },
  allow_private = { type = "boolean" }, max_bytes = { type = "integer", min = 1 },
  timeout_ms = { type = "duration" }, timeout = { type = "duration", alias = "timeout_ms" },
  name = { type = "string", word = true }, about = { type = "string" },
}

local PARAMETERS = {
  type = "object", required = { "url" }, additionalProperties = false,
  properties = { url = { type = "string", description = "the http or https address to read" } },
}

local function host_entry(text)
  local star, rest = text:match "^(%*%.)(.+)$"
  local host, port = split_authority(rest or text)
  if not host then
    error(("http_get: '%s' is no host; say 'example.org', '*.example.org' or 'example.org:8080'"):format(text), 4)
  end
  return { host = (star or "") .. host, port = math.tointeger(tonumber(port)) }
end

local function entries_of(hosts)
  local entries = {}
  for i, text in ipairs(hosts) do entries[i] = host_entry(text) end
  return entries
end

--- A tool that reads texts over HTTP: `http_get { hosts = { "example.org", "*.example.net" } }`, or
--- `http_get { "example.org" }`. Addresses that are not public are refused unless `allow_private`.
---@param opts table {hosts =, allow_private =, max_bytes =, timeout =, name =, about =}, or the list of hosts
---@return table tool
function M.new(opts)
  if type(opts) == "table" and opts[1] ~= nil then opts = { hosts = opts } end
  opts = options.read("http_get", opts or {}, OPTIONS)
  local hosts = entries_of(opts.hosts)
  return {
    name = opts.name or "http_get", parameters = PARAMETERS, idempotent = true,
    about = opts.about or "Reads a page or a document over HTTP. Hosts: " .. table.concat(opts.hosts, ", ") .. ".",
    run = function(args)
      local text, problem = get(hosts, opts, args.url)
      if text or errors.is(problem) then return text, problem end
      return nil, errors.new("permanent", problem)
    end,
  }
end

return M
