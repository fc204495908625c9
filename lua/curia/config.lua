--- The configuration: six layers, of which the strongest that speaks wins, and every value knows its source.
local check = require "curia.language.check"
local errors = require "curia.errors"
local fields = require "curia.language.fields"
local lower = require "curia.language.lower"
local models = require "curia.data.models"
local registries = require "curia.registry"
local secrets = require "curia.language.secrets"
local suggest = require "curia.suggest"
local variables = require "curia.language.variables"

local M = {}

--- The layers, weakest first.
M.layers = { "default", "user", "project", "environment", "command_line", "call" }

local LABELS = {
  default = "default", user = "user file", project = "project file", environment = "environment",
  command_line = "command line", call = "call",
}

-- Keys whose entries are layered one by one, so that naming one provider does not forget the others.
local TABLES = { providers = "provider", profiles = "profile", prices = false, models = false }

local DEFAULTS = {
  default_retry = { attempts = 2, base_ms = 1000, max_ms = 30000 },
  default_failure_mode = "continue",
  linger_ms = 60000,
  loop_stall_ms = 50,
  log = "warn",
  namespace = "default",
  registry_ttl_ms = 1000,
  providers = require "curia.data.providers",
  profiles = require "curia.data.profiles",
}

---@class curia.Config
---@field registry curia.Registry whose configuration tier follows this configuration
local Config = { __name = "curia.config" }
Config.__index = Config

-- Fields of one provider add up over the layers; entries of other tables are replaced whole.
local function put_entry(key, target, name, value)
  if key ~= "providers" or not target[name] then
    target[name] = value
    return
  end
  local merged = {}
  for field, item in pairs(target[name]) do merged[field] = item end
  for field, item in pairs(value) do merged[field] = item end
  target[name] = merged
end

local function put(values, sources, key, value, label)
  if TABLES[key] == nil then
    values[key], sources[key] = value, label
    return
  end
  values[key] = values[key] or {}
  for name, entry in pairs(value) do
    put_entry(key, values[key], name, entry)
    sources[key .. "." .. name] = label
  end
end

local shared

-- What modules without a configuration of their own go by follows the shared one.
local function apply_shared(self)
  models.configure(self._.values.models)
end

local function recompute(self)
  local values, sources = {}, {}
  for _, layer in ipairs(M.layers) do
    for _, part in ipairs(self._.layers[layer]) do
      for key, value in pairs(part.values) do put(values, sources, key, value, part.label(key)) end
    end
  end
  self._.values, self._.sources = values, sources
  for key, kind in pairs(TABLES) do
    if kind then self.registry:configure(kind, values[key] or {}) end
  end
  self.registry:touch()
  if self == shared then apply_shared(self) end
end

local function wrap_keys(values)
  for _, entry in pairs(values.providers or {}) do
    if entry.api_key ~= nil then entry.api_key = secrets.wrap(entry.api_key) end
  end
  return values
end

local MOST_SHOWN = 20

-- Whoever mends a file wants to know all that is wrong with it.
local function fault_text(faults)
  if #faults == 1 then return faults[1].message end
  local lines = { ("%d faults"):format(#faults) }
  for i = 1, math.min(#faults, MOST_SHOWN) do lines[i + 1] = faults[i].message end
  if #faults > MOST_SHOWN then lines[#lines + 1] = ("and %d more"):format(#faults - MOST_SHOWN) end
  return table.concat(lines, "\n  ")
end

local function fault_error(faults, where)
  return errors.new("validation", ("%s: %s"):format(where, fault_text(faults)), { context = { faults = faults } })
end

-- Keys of later versions: refused as such, not as slips of the pen.
local LATER = {
  "redis", "bus",
}

local function unsupported(values, where)
  local found = {}
  for _, key in ipairs(LATER) do
    if values[key] ~= nil then found[#found + 1] = key end
  end
  if #found == 0 then return nil end
  return errors.new("unsupported", ("%s: not part of this version: %s"):format(where, table.concat(found, ", ")),
    { context = { fields = found } })
end

local function checked(values, where)
  local early = unsupported(values, where)
  if early then return nil, early end
  local lowered = lower.record(fields.config, values)
  local faults = check.faults()
  check.record(fields.config, lowered, "", "", faults)
  if #faults > 0 then return nil, fault_error(faults:take(), where) end
  return wrap_keys(lowered)
end

--- Adds values to a layer; within one layer the later call wins.
---@param layer string one of `config.layers`, else it raises
---@param values table
---@param label? string|fun(key: string): string the source that is shown, such as a file's path
---@return true?
---@return curia.Error? err kind `validation`, all faults in `context.faults`, or `unsupported`
function Config:set(layer, values, label)
  local parts = self._.layers[layer]
  if not parts then
    error(("bad argument #1 to 'set': no layer '%s'%s"):format(tostring(layer), suggest.hint(layer, M.layers)), 2)
  end
  if type(values) ~= "table" then error("bad argument #2 to 'set' (a table expected)", 2) end
  local shown = label or LABELS[layer]
  local good, err = checked(values, type(shown) == "string" and shown or LABELS[layer])
  if not good then return nil, err end
  parts[#parts + 1] = { values = good, label = type(shown) == "string" and function() return shown end or shown }
  recompute(self)
  return true
end

local function check_key(key)
  if not fields.config[key] then
    error(suggest.message("configuration key", key, fields.config), 3)
  end
end

--- The value of a key, or nil. Tables belong to the configuration: do not change them.
---@param key string a key of the configuration, else it raises
---@return any
function Config:get(key)
  check_key(key)
  return self._.values[key]
end

--- Where a value comes from, or nil when nothing is set.
---@param key string
---@param entry? string for providers, profiles, prices and models: which entry
---@return string?
function Config:source(key, entry)
  check_key(key)
  return self._.sources[entry and key .. "." .. entry or key]
end

--- Everything that is set, sorted by key: scalar keys, and the entries of tables as "providers.openai".
---@return {key: string, value: any, source: string}[]
function Config:explain()
  local rows = {}
  for _, path in ipairs(check.sorted_keys(self._.sources)) do
    local key, entry = path:match("^([%w_]+)%.(.+)$")
    local value = self._.values[key or path]
    rows[#rows + 1] = { key = path, value = entry and value[entry] or value, source = self._.sources[path] }
  end
  return rows
end

local function set_environment(self, getenv)
  local values = variables.values(getenv)
  if not next(values) then return true end
  return self:set("environment", values, function(key)
    return "environment " .. variables.name(key)
  end)
end

local function no_layers()
  local layers = {}
  for _, name in ipairs(M.layers) do layers[name] = {} end
  return layers
end

--- Makes a configuration from the defaults and the environment.
---@param opts? {registry?: curia.Registry, getenv?: fun(name: string): string?}
---@return curia.Config?
---@return curia.Error? err when a CURIA_* variable is wrong
function M.new(opts)
  opts = opts or {}
  local self = setmetatable({ registry = opts.registry or registries.new(), _ = { layers = no_layers() } }, Config)
  assert(self:set("default", DEFAULTS))
  local ok, err = set_environment(self, opts.getenv or os.getenv)
  if not ok then return nil, err end
  return self
end

--- The configuration of this Lua state, made on first use with the shared registry.
---@return curia.Config?
---@return curia.Error? err when a CURIA_* variable is wrong
function M.open()
  if shared then return shared end
  local made, err = M.new { registry = registries.shared() }
  if not made then return nil, err end
  shared = made
  apply_shared(made)
  return shared
end

--- The same, for those who cannot go on without: raises if a CURIA_* variable is wrong.
---@return curia.Config
function M.shared()
  local opened, err = M.open()
  if not opened then error(tostring(err), 0) end
  return opened
end

--- `curia.config{...}`: sets values by call, the strongest layer. Wrong keys and values raise.
---@param values table
---@return curia.Config
function M.configure(values)
  if type(values) ~= "table" then error("bad argument #1 to 'config' (a table expected)", 2) end
  local self = M.shared()
  local ok, err = self:set("call", values)
  if not ok then error(tostring(err), 2) end
  return self
end

local function script_error(message)
  return errors.new("script", message)
end

local function evaluate(path, text)
  local env = setmetatable({ env = secrets.env, cmd = secrets.cmd, file = secrets.file }, { __index = _G })
  local chunk, message = load(text:gsub("^\239\187\191", ""), "@" .. path, "t", env)
  if not chunk then return nil, script_error(message) end
  local ok, values = pcall(chunk)
  if not ok then return nil, script_error(tostring(values)) end
  if type(values) ~= "table" then
    return nil, script_error(("%s returned %s; a configuration file returns a table"):format(path,
      values == nil and "nothing" or "a " .. type(values)))
  end
  return values
end

local function run_text(self, layer, path, text)
  local values, err = evaluate(path, text)
  if not values then return nil, err end
  return self:set(layer, values, LABELS[layer] .. " " .. path)
end

local function read(path)
  local handle, message = io.open(path, "rb")
  if not handle then return nil, message end
  local text <const> = handle:read "a"
  handle:close()
  return text, path .. " cannot be read"
end

--- Runs a configuration file, which is Lua and returns a table, and adds its values to a layer.
---@param layer string
---@param path string
---@return true?
---@return curia.Error? err kind `script`, `validation` or `unsupported`
function Config:load_file(layer, path)
  local text, message = read(path)
  if not text then return nil, script_error(message) end
  return run_text(self, layer, path, text)
end

--- The directory of the user's configuration, or nil without a home.
---@return string?
function M.user_directory()
  local xdg, home = os.getenv("XDG_CONFIG_HOME"), os.getenv("HOME")
  if xdg and xdg ~= "" then return xdg .. "/curia" end
  return home and home ~= "" and home .. "/.config/curia" or nil
end

--- The name of a configuration file.
M.FILE = "curia.config.lua"

--- Loads the user's file and the project's, those that exist. The project's file is code that came with a
--- folder: it runs only if `trust` says so of its text, and what runs is the text that was judged.
---@param opts {project?: string, user?: string, trust?: fun(path: string, text: string): boolean} directories; `user`
--- defaults to `user_directory()`
---@return {loaded: string[], untrusted: string[]}?
---@return curia.Error? err
function Config:load_files(opts)
  local report = { loaded = {}, untrusted = {} }
  local function load_one(layer, directory, trusted)
    local path = directory and directory .. "/" .. M.FILE
    local text = path and read(path)
    if not text then return true end
    if not trusted(path, text) then
      table.insert(report.untrusted, path)
      return true
    end
    table.insert(report.loaded, path)
    return run_text(self, layer, path, text)
  end
  local ok, err = load_one("user", opts.user or M.user_directory(), function() return true end)
  if ok then ok, err = load_one("project", opts.project, opts.trust or function() return false end) end
  if not ok then return nil, err end
  return report
end

return M
