--- `curia version`: Curia's own version and those of what it is built on.
local json = require "curia.json"
local system = require "curia.core.system"
local uv = require "luv"

local M = {}

--- The versions by name.
---@return table<string, string>
function M.versions()
  local built = system.versions or {}
  return { curia = system.version, lua = built.lua or _VERSION, libuv = uv.version_string(), libcurl = built.curl, luv = nil }
end

--- `curia version [--json]`
---@param values table options
---@return integer exit code
function M.main(values)
  local versions = M.versions()
  if values.json then
    io.write(assert(json.encode(versions, { indent = 2 })), "\n")
    return 0
  end
  io.write(("curia %s\n"):format(versions.curia))
  for _, name in ipairs { "lua", "libuv", "libcurl" } do
    if versions[name] then io.write(("  %-8s %s\n"):format(name, versions[name])) end
  end
  return 0
end

return M
