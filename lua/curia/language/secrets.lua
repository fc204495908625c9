--- Secrets: where a key comes from, and how it is fetched when a member is first called.
-- A secret prints as its source, never as its value; values live in weak tables here and in `curia.redact`.
local errors = require "curia.errors"
local redact = require "curia.redact"

local M = {}

---@class curia.Secret
---@field source "env"|"cmd"|"file"|"function"|"literal"
---@field names? string[] variables, the first that is set counts
---@field command? string
---@field path? string
local Secret = { __name = "curia.secret" }
Secret.__index = Secret

-- Values that were fetched or given, and functions that fetch: nothing that prints a secret can reach them.
local values = setmetatable({}, { __mode = "k" })
local fetchers = setmetatable({}, { __mode = "k" })

local learned = setmetatable({}, { __mode = "k" }) -- what is masked already

function Secret:__tostring()
  if self.source == "env" then return "env " .. table.concat(self.names, " or ") end
  if self.source == "cmd" then return "cmd " .. self.command end
  if self.source == "file" then return "file " .. self.path end
  return self.source == "literal" and "a key in the code" or "a function"
end

local function check_text(word, value, level)
  if type(value) ~= "string" or value == "" then
    error(("bad argument #1 to '%s' (a text expected, not a %s)"):format(word, type(value)), level + 1)
  end
end

--- `env "NAME"`: the value of an environment variable; of several names the first that is set.
---@param ... string
---@return curia.Secret
function M.env(...)
  local names = { ... }
  check_text("env", names[1], 2)
  for _, name in ipairs(names) do check_text("env", name, 2) end
  return setmetatable({ source = "env", names = names }, Secret)
end

--- `cmd "op read ..."`: what a command prints.
---@param command string
---@return curia.Secret
function M.cmd(command)
  check_text("cmd", command, 2)
  return setmetatable({ source = "cmd", command = command }, Secret)
end

--- `file "path"`: the contents of a file; "~/" is the home directory.
---@param path string
---@return curia.Secret
function M.file(path)
  check_text("file", path, 2)
  return setmetatable({ source = "file", path = path }, Secret)
end

--- Wraps what a configuration gives as a key: a secret stays, a function is called when the key is needed,
--- a text is taken as the key itself and marked so (`source == "literal"`).
---@param value curia.Secret|string|function
---@return curia.Secret
function M.wrap(value)
  if M.is(value) then return value end
  local literal = type(value) == "string"
  local secret = setmetatable({ source = literal and "literal" or "function" }, Secret)
  if literal then
    values[secret] = value
    redact.add(value)
  else
    fetchers[secret] = value
  end
  return secret
end

---@param value any
---@return boolean
function M.is(value)
  return getmetatable(value) == Secret
end

local function trim(text)
  return (text:gsub("^%s+", ""):gsub("%s+$", ""))
end

local function from_env(secret)
  for _, name in ipairs(secret.names) do
    local value = trim(os.getenv(name) or "")
    if value ~= "" then return value end
  end
  return nil, table.concat(secret.names, " or ") .. " is not set"
end

local function expand_home(path)
  return (path:gsub("^~/", function() return (os.getenv("HOME") or "~") .. "/" end))
end

local function from_file(secret)
  local handle, message = io.open(expand_home(secret.path), "rb")
  if not handle then return nil, "the key's file cannot be read: " .. message end
  local text = handle:read("a")
  handle:close()
  if not text then return nil, "the key's file cannot be read: " .. secret.path end
  return trim(text)
end

local function popen_runner(command)
  local pipe, message = io.popen(command, "r")
  if not pipe then return nil, message end
  local output = pipe:read("a")
  local ok, how, code = pipe:close()
  if not ok then return nil, ("%s %s"):format(how, code) end
  return output
end

local function from_cmd(secret, runner)
  local output, message = (runner or popen_runner)(secret.command)
  if not output then
    return nil, ("the key's command `%s` failed (%s)"):format(secret.command, tostring(message))
  end
  return trim(output)
end

local function from_function(secret)
  local ok, value, message = pcall(fetchers[secret])
  if not ok then return nil, "the key's function failed: " .. tostring(value) end
  if type(value) ~= "string" then
    return nil, "the key's function gave no text" .. (message and ": " .. tostring(message) or "")
  end
  return trim(value)
end

local FETCH = { env = from_env, file = from_file, cmd = from_cmd, ["function"] = from_function }

-- A control character in a key would end the header that carries it.
local function usable(secret, value)
  if value == "" then return nil, tostring(secret) .. " is empty" end
  if value:find("%c") then return nil, tostring(secret) .. " holds a line break or another control character" end
  return value
end

local function fetch(secret, runner)
  if secret.source == "literal" then return usable(secret, values[secret]) end
  local value, message = FETCH[secret.source](secret, runner)
  if not value then return nil, message end
  return usable(secret, value)
end

--- The value of a secret, fetched once and then remembered.
---@param secret curia.Secret
---@param runner? fun(command: string): string?, string? runs a command and may await; without it `cmd` blocks
---@return string?
---@return string? message why it cannot be had
function M.reveal(secret, runner)
  local known = values[secret]
  if known and secret.source ~= "literal" then return known end
  local value, message = fetch(secret, runner)
  if value then
    values[secret] = value
    redact.add(value)
  end
  return value, message
end

local function auth_error(entry, message)
  local others = entry.alternatives and #entry.alternatives > 0
    and (", nor is any of %s"):format(table.concat(entry.alternatives, ", ")) or ""
  return errors.new("auth", ("no key for provider '%s': %s%s; --offline runs without one, on invented answers")
    :format(tostring(entry.name), message, others), { provider = entry.name, code = "missing_key" })
end

--- The key of a provider, fetched once and then remembered.
---@param entry table a provider entry with `name` and `api_key`
---@param opts? {runner?: fun(command: string): string?, string?} `runner` runs a command and may await;
--- without it `cmd` blocks until its command has ended
---@return string? key nil without an error when the provider needs none
---@return curia.Error? err kind `auth`
function M.resolve(entry, opts)
  if entry.api_key == nil then return nil end
  local value, message = M.reveal(M.wrap(entry.api_key), opts and opts.runner)
  if not value then return nil, auth_error(entry, message) end
  return value
end

--- A provider's further headers, with the secrets among them revealed.
---@param entry table
---@param opts? table as for `resolve`
---@return table<string, string>? headers
---@return curia.Error? err kind `auth`
function M.headers(entry, opts)
  local headers = {}
  for name, value in pairs(entry.headers or {}) do
    local text, message = value, nil
    if M.is(value) then text, message = M.reveal(value, opts and opts.runner) end
    if not text then return nil, auth_error(entry, ("header %s: %s"):format(name, message)) end
    headers[name] = text
  end
  return headers
end

local function learn(secret)
  if not M.is(secret) then return redact.add(secret) end
  if learned[secret] or not (secret.source == "env" or secret.source == "file") then return end
  local value = FETCH[secret.source](secret)
  learned[secret] = value ~= nil
  redact.add(value)
end

--- Has a provider's keys masked before any is used: those that are had without asking anybody. A command and a function
--- are left alone until they are needed.
---@param entry table
function M.learn(entry)
  learn(entry.api_key)
  for _, value in pairs(entry.headers or {}) do
    if M.is(value) then learn(value) end
  end
end

--- Forgets a fetched key, so that the next `resolve` fetches it anew (a rotated key).
---@param entry table
function M.forget(entry)
  local key = entry.api_key
  if M.is(key) and key.source ~= "literal" then values[key], learned[key] = nil, nil end
end

--- Whether a key can be had without fetching it: a variable that is set, a file that can be opened;
--- commands, functions and texts count as keys.
---@param key curia.Secret|string|function|nil
---@return boolean
function M.available(key)
  if key == nil then return false end
  local source = M.is(key) and key.source
  if source == "env" then return from_env(key) ~= nil end
  if source == "file" then return from_file(key) ~= nil end
  return true
end

return M
