--- A folder for the databases of one spec.
local uv = require "luv"

local M = {}

--- Makes a folder; `folder.path(name)` is a file in it, `folder:remove()` takes all away.
function M.folder()
  local name = os.tmpname()
  os.remove(name)
  assert(uv.fs_mkdir(name, 448))
  return {
    path = function(file) return name .. "/" .. file end,
    url = function(file) return "sqlite:" .. name .. "/" .. file end,
    remove = function() os.execute("rm -r '" .. name .. "'") end,
  }
end

return M
