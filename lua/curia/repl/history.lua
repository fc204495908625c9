--- The history: a private file of bounded length, in which no secret stands.
local folders = require "curia.folders"
local redact = require "curia.redact"
local uv = require "luv"

local M = {}

local MOST = 1000

-- What a key that somebody pastes looks like, besides those that are known.
local SECRETS = { "sk%-[%w_%-]+", "api_?key%s*=%s*[\"']", "[Bb]earer%s+[%w_%-%.]+", "AIza[%w_%-]+" }

---@class curia.repl.History
---@field path? string nil: nothing is kept
local History = {}
History.__index = History

local function read(path)
  local lines, file = {}, io.open(path, "r")
  if not file then return lines end
  for line in file:lines() do lines[#lines + 1] = line end
  file:close()
  return table.move(lines, math.max(1, #lines - MOST + 1), #lines, 1, {}), #lines > MOST
end

local function write(path, lines, mode)
  local fd = uv.fs_open(path, mode, 384) -- 0600
  if not fd then return end
  uv.fs_write(fd, #lines > 0 and table.concat(lines, "\n") .. "\n" or "")
  uv.fs_close(fd)
end

--- Opens the history and gives its lines, oldest first.
---@param path? string the user's own file unless given
---@return curia.repl.History
---@return string[] lines
function M.open(path)
  local folder = not path and folders.state()
  if folder then
    folders.make(folder)
    path = folder .. "/history"
  end
  if not path then return setmetatable({}, History), {} end
  local lines, longer = read(path)
  if longer then write(path, lines, "w") end
  return setmetatable({ path = path, last = lines[#lines] }, History), lines
end

local function holds_secret(line)
  for _, pattern in ipairs(SECRETS) do
    if line:find(pattern) then return true end
  end
  return redact.text(line) ~= line
end

--- Adds a line, unless it begins with a blank, is the last one again, or holds what looks like a secret.
---@param line string
---@return boolean whether it was added
function History:add(line)
  if line:find "^%s" or line == "" or line == self.last or holds_secret(line) then return false end
  self.last = line
  if self.path then write(self.path, { line }, "a") end
  return true
end

return M
