--- `curia trust [FOLDER]`: lets a project's configuration run. It is Lua that came with a folder: who trusts it has
-- looked at it, and what is trusted is this text of it; a changed one asks again.
local config = require "curia.config"
local folders = require "curia.folders"
local options = require "curia.cli.options"
local usage = require "curia.cli.usage"
local uv = require "luv"

local M = {}

local function store()
  local state = folders.state()
  return state and state .. "/trusted"
end

local function name_of(path)
  return (path:gsub("[^%w%-_.]", function(c) return ("%%%02X"):format(c:byte()) end))
end

local function path_of(name)
  return (name:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

local function read(path)
  local file = path and io.open(path, "rb")
  local text = file and file:read "a"
  if file then file:close() end
  return text
end

--- Whether a file is trusted with this text.
---@param path string
---@param text? string without it: as the file is now
---@return boolean
function M.is_trusted(path, text)
  local folder, real = store(), uv.fs_realpath(path)
  local trusted = folder and real and read(folder .. "/" .. name_of(real))
  return trusted ~= nil and trusted == (text or read(real))
end

local function trust(path)
  local folder, text = store(), read(path)
  if not folder then return nil, "there is no home directory to remember it in" end
  folders.make(folder)
  local fd, message = uv.fs_open(folder .. "/" .. name_of(path), "w", 384) -- 0600
  if not fd then return nil, message end
  local _, problem = uv.fs_write(fd, text)
  uv.fs_close(fd)
  return problem == nil, problem
end

local function trusted_paths()
  local paths, scan = {}, store() and uv.fs_scandir(store())
  while scan do
    local name = uv.fs_scandir_next(scan)
    if not name then break end
    paths[#paths + 1] = path_of(name)
  end
  table.sort(paths)
  return paths
end

local function list()
  for _, path in ipairs(trusted_paths()) do
    print(path .. (M.is_trusted(path) and "" or "  (changed since, asks again)"))
  end
  return 0
end

local function complain(text)
  io.stderr:write("curia: ", text, "\n")
  return 1
end

local function remove(path)
  local folder = store()
  if folder and uv.fs_unlink(folder .. "/" .. name_of(path)) then
    print(path .. " is not trusted any more")
    return 0
  end
  return complain(path .. " was not trusted")
end

--- `curia trust [FOLDER] [--list] [--remove]`
---@param values {list?: boolean, remove?: boolean}
---@param rest string[]
---@return integer exit code
function M.main(values, rest)
  if #rest > 1 then return usage.misused("one folder at a time", "trust") end
  local ok, message = options.exclusive(values, { "list", "remove" })
  if not ok then return usage.misused(message, "trust") end
  if values.list then return list() end
  local folder = rest[1] or "."
  local path = folder .. "/" .. config.FILE
  local real = uv.fs_realpath(path)
  if values.remove then return remove(real or path) end
  if not real then return complain(("there is no %s in %s"):format(config.FILE, folder)) end
  ok, message = trust(real)
  if not ok then return complain(message) end
  print(real .. " is trusted, as it is now")
  return 0
end

return M
