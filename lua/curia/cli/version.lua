--- `curia version`: Curia's own version and those of what it is built on.
local json = require "curia.json"
local system = require "curia.core.system"

local M = {}

--- The versions by name.
---@return table<string, string>
function M.versions()
  local versions = { curia = system.version }
  for name, text in pairs(system.versions) do versions[name] = (text:gsub("^%a+[ /]", "")) end
  return versions
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
    io.write(("  %-8s %s\n"):format(name, versions[name]))
  end
  return 0
end

return M
