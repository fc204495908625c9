--- A file of recorded exchanges: one JSON object a line, to be read, and kept beside the specs.
--
-- Of a request it has the provider, the path and the body, of an answer the status, the headers that mean something
-- and the pieces in which it came with their times. Keys stand in headers, which are not kept, and in addresses,
-- which lose them; what is known as a secret is masked wherever else it stands.
local errors = require "curia.errors"
local json = require "curia.json"
local redact = require "curia.redact"

local M = {}

---@class curia.testing.Exchange
---@field provider string
---@field method string
---@field path string
---@field query? table<string, string>
---@field body any decoded where it is JSON, else a text
---@field status integer
---@field headers table<string, string>
---@field pieces {[1]: number, [2]: string}[] milliseconds since the one before, and bytes

local SECRET_QUERY = { key = true, api_key = true, token = true, access_token = true }

--- A request, as it is recorded and compared.
---@param provider string
---@param request curia.mock.Request
---@return table
function M.request(provider, request)
  local query = nil
  for name, value in pairs(request.query or {}) do
    if not SECRET_QUERY[name] then
      query = query or {}
      query[name] = redact.text(value)
    end
  end
  local text = redact.text(request.body or "")
  local decoded = json.decode(text)
  return { provider = provider, method = request.method, path = request.path, query = query,
    body = decoded == nil and text or decoded }
end

--- What two equal requests have in common.
---@param request table
---@return string
function M.key(request)
  return assert(json.encode { request.provider, request.method, request.path, request.query or {}, request.body })
end

--- Writes exchanges.
---@param path string
---@param exchanges curia.testing.Exchange[]
---@return true?
---@return curia.Error? err kind `storage`
function M.write(path, exchanges)
  local file, message = io.open(path, "wb")
  if not file then return nil, errors.new("storage", message) end
  for _, exchange in ipairs(exchanges) do file:write(redact.text(assert(json.encode(exchange))), "\n") end
  file:close()
  return true
end

--- Reads exchanges.
---@param path string
---@return curia.testing.Exchange[]?
---@return curia.Error? err kind `storage`, with the line that cannot be read
function M.read(path)
  local file, message = io.open(path, "rb")
  if not file then return nil, errors.new("storage", message) end
  local exchanges = {}
  for line in file:lines() do
    local exchange, err = json.decode(line)
    if not exchange then
      file:close()
      return nil, errors.new("storage", ("%s:%d: %s"):format(path, #exchanges + 1, err.message))
    end
    exchanges[#exchanges + 1] = exchange
  end
  file:close()
  return exchanges
end

-- ---- differences ------------------------------------------------------------------------------------

local MOST, LONGEST = 5, 80

local function shown(value)
  local text = value == nil and "nothing" or json.encode(value) or tostring(value)
  return #text > LONGEST and text:sub(1, LONGEST) .. "..." or text
end

local function keys_of(a, b)
  local keys, seen = {}, {}
  for _, source in ipairs { a, b } do
    for key in pairs(source) do
      if not seen[key] then keys[#keys + 1] = key end
      seen[key] = true
    end
  end
  table.sort(keys, function(x, y) return tostring(x) < tostring(y) end)
  return keys
end

local function compare(a, b, path, found)
  if type(a) == "table" and type(b) == "table" then
    for _, key in ipairs(keys_of(a, b)) do
      local step = type(key) == "number" and ("[%d]"):format(key) or "." .. key
      compare(a[key], b[key], path .. step, found)
    end
  elseif a ~= b then
    found[#found + 1] = ("%s: %s instead of %s"):format(path, shown(a), shown(b))
  end
end

--- How a request differs from a recorded one, in words; the most telling lines first.
---@param request table
---@param recorded table
---@return string[]
function M.differences(request, recorded)
  local found = {}
  compare(request.query or {}, recorded.query or {}, "query", found)
  compare(request.body, recorded.body, "body", found)
  return table.move(found, 1, math.min(#found, MOST), 1, {}), #found
end

return M
