--- Where the program keeps what is not configuration (XDG Base Directory Specification).
local uv = require "luv"

local M = {}

--- The folder of the program's state, or nil without a home.
---@return string?
function M.state()
  local state, home = os.getenv "XDG_STATE_HOME", os.getenv "HOME"
  if state and state ~= "" then return state .. "/curia" end
  return home and home ~= "" and home .. "/.local/state/curia" or nil
end

--- The folder of the user's data, or nil without a home.
---@return string?
function M.data()
  local data, home = os.getenv "XDG_DATA_HOME", os.getenv "HOME"
  if data and data ~= "" then return data .. "/curia" end
  return home and home ~= "" and home .. "/.local/share/curia" or nil
end

--- Makes a folder with all above it, for the user alone.
---@param path string absolute
function M.make(path)
  local made = ""
  for part in path:gmatch "[^/]+" do
    made = made .. "/" .. part
    uv.fs_mkdir(made, 448) -- 0700
  end
end

--- The nearest folder that has a file of that name, from here upwards.
---@param name string
---@return string?
function M.find_up(name)
  local folder = uv.cwd()
  while folder do
    if uv.fs_stat(folder .. "/" .. name) then return folder end
    folder = folder ~= "/" and (folder:match "^(.+)/[^/]*$" or "/") or nil
  end
end

return M
