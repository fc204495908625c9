--- A configuration of its own for each spec: fake providers and rounds, no environment.
local config = require "curia.config"
local registry = require "curia.registry"

local M = {}

local function adapter(name)
  return { name = name }
end

local function provider(name)
  return { adapter = adapter(name), base_url = "http://" .. name .. ".test", model = nil }
end

--- A configuration with the providers `one`, `two`, `scripted` and the rounds `think`, `review`, `synthesis`.
function M.config(values)
  local made = assert(config.new { registry = registry.new(), getenv = function() end })
  assert(made:set("user", {
    providers = { one = provider "one", two = provider "two", scripted = { adapter = adapter "scripted" } },
    profiles = { plain = { provider = "one", model = "small" } },
  }))
  for _, name in ipairs { "think", "review" } do
    made.registry:register("round", name, { name = name, build = function() end, options = {
      depth = { type = "integer", doc = "how deep", min = 1 },
      pause = { type = "duration", doc = "how long to pause" },
    } })
  end
  made.registry:register("round", "synthesis", { name = "synthesis", chair = true, build = function() end })
  if values then assert(made:set("call", values)) end
  return made
end

--- The faults of a list by path: `{["members[1].model"] = "missing"}`.
function M.codes(faults)
  local codes = {}
  for _, fault in ipairs(faults or {}) do codes[fault.path] = fault.code end
  return codes
end

--- Runs `body` with environment variables set (false: unset); the real environment comes back after it.
function M.with_env(variables, body)
  local getenv = os.getenv
  os.getenv = function(name) -- luacheck: ignore 122
    local value = variables[name]
    if value ~= nil then return value or nil end
    return getenv(name)
  end
  local ok, problem = pcall(body)
  os.getenv = getenv -- luacheck: ignore 122
  if not ok then error(problem, 0) end
end

--- Writes a temporary file and returns its path.
function M.file(text)
  local path = os.tmpname()
  local handle = assert(io.open(path, "wb"))
  handle:write(text)
  handle:close()
  return path
end

return M
