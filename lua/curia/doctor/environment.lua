--- What this machine offers: keys, an Ollama, proxies, certificates, a terminal.
local configuration = require "curia.config"
local providers = require "curia.language.providers"
local reach = require "curia.cli.reach"
local redact = require "curia.redact"
local system = require "curia.core.system"
local terminal = require "curia.view.terminal"
local uv = require "luv"
local variables = require "curia.language.variables"

local M = {}

---@class curia.doctor.Fact
---@field name string
---@field value string
---@field good? boolean false: something is missing

local STDOUT = 1

local function fact(name, value, good)
  return { name = name, value = value, good = good }
end

local function is_set(name)
  local value = os.getenv(name)
  return value ~= nil and value ~= ""
end

--- Which keys are there; never their values.
---@return curia.doctor.Fact[]
function M.keys()
  local facts, registry, seen = {}, configuration.shared().registry, {}
  for _, provider in ipairs(registry:list "provider") do
    for name in (providers.needs(provider, registry) or ""):gmatch "[%u%d_]+" do
      if not seen[name] and name:find "_KEY$" then
        facts[#facts + 1] = fact(name, is_set(name) and "set" or "not set", is_set(name) or nil)
      end
      seen[name] = true
    end
  end
  table.sort(facts, function(a, b) return a.name < b.name end)
  return facts
end

-- An address may hold a password before its last @ (proxies need no scheme), and a key in its query.
local function without_secrets(address)
  local scheme, rest = address:match "^(%a[%w+.-]*://)(.*)$"
  rest = (rest or address):gsub("^.*@", "[secret]@"):gsub("([?&][^=&#]*=)[^&#]*", "%1[secret]")
  return (scheme or "") .. rest
end

--- The local Ollama.
---@async
---@return curia.doctor.Fact
function M.ollama()
  local base_url = assert(providers.entry("ollama", configuration.shared().registry)).base_url
  local names = reach.ollama_models(base_url)
  if not names then return fact("Ollama", "nobody answers at " .. without_secrets(base_url)) end
  local what = #names == 0 and "no model yet: ollama pull llama3.2" or table.concat(names, ", ")
  return fact("Ollama", ("%s at %s"):format(what, without_secrets(base_url)), #names > 0)
end

local PROXIES = { "HTTPS_PROXY", "https_proxy", "http_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy" }

local function proxy_facts(facts)
  for _, name in ipairs(PROXIES) do
    if is_set(name) then facts[#facts + 1] = fact(name, without_secrets(os.getenv(name))) end
  end
end

local CERTIFICATES = { "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem" }

local function readable(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

local function certificates()
  for _, name in ipairs { "SSL_CERT_FILE", "CURL_CA_BUNDLE" } do
    local path = os.getenv(name)
    if is_set(name) then return fact("certificates", ("%s (%s)"):format(path, name), readable(path)) end
  end
  for _, path in ipairs(CERTIFICATES) do
    if readable(path) then return fact("certificates", path, true) end
  end
  return fact("certificates", "none found: install ca-certificates", false)
end

local function terminal_fact()
  local columns = terminal.columns(STDOUT)
  if not columns then return fact("terminal", "standard output is none") end
  return fact("terminal", ("%d columns, %s, %s"):format(columns, terminal.is_utf8() and "UTF-8" or "not UTF-8",
    is_set "NO_COLOR" and "no colours (NO_COLOR)" or os.getenv "TERM" or "no TERM"))
end

-- What they are set to is not told: another's may be a key.
local function variable_facts(facts)
  for _, variable in ipairs(variables.set(uv.os_environ())) do
    local found = fact(variable.name, variable.about)
    if variable.is_slip then found.good = false end
    facts[#facts + 1] = found
  end
end

--- What Curia is built on, and what surrounds it.
---@return curia.doctor.Fact[]
function M.surroundings()
  local facts, versions = { fact("Curia", system.version) }, system.versions
  for _, name in ipairs { "lua", "libuv", "libcurl" } do
    facts[#facts + 1] = fact(name, versions[name]:match "^libcurl/%S+ %S+" or versions[name])
  end
  proxy_facts(facts)
  variable_facts(facts)
  facts[#facts + 1] = certificates()
  facts[#facts + 1] = terminal_fact()
  return facts
end

local function masked(value)
  local text = redact.text(tostring(value))
  return text:find "^%a[%w+.-]*://" and without_secrets(text) or text
end

local function shown(value)
  if type(value) ~= "table" then return masked(value) end
  local parts = {}
  for name, item in pairs(value) do
    local kind = type(item)
    if kind == "string" or kind == "number" or kind == "boolean" then
      parts[#parts + 1] = name .. " = " .. masked(item)
    elseif name == "api_key" then parts[#parts + 1] = "api_key = [secret]" end
  end
  table.sort(parts)
  return table.concat(parts, ", ")
end

--- Every value of the configuration that does not come with Curia, and where it comes from; with `all`, every one.
---@param all? boolean
---@return {key: string, value: string, source: string}[]
function M.settings(all)
  local rows = {}
  for _, row in ipairs(configuration.shared():explain()) do
    local own = row.source ~= "default" or not row.key:find(".", 1, true)
    if all or own then rows[#rows + 1] = { key = row.key, value = shown(row.value), source = row.source } end
  end
  return rows
end

return M
