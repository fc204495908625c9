--- This process as one of those that share a store (SPEC 17): who it is, and whether another is alive.
--
-- An incarnation is a process, and never comes back; a node is a name that one after the other has. On SQLite a process
-- is alive while it holds a lock on a file that is named by its incarnation: the kernel gives the lock back, whatever
-- ends the process, so that no clock has to be right.
local clock = require "curia.core.clock"
local config = require "curia.config"
local folders = require "curia.folders"
local locks = require "curia.core.lock"
local stores = require "curia.store"
local system = require "curia.core.system"
local uv = require "luv"

local M = {}

---@class curia.Node
---@field incarnation string this process
---@field node_id string its name
---@field lock? userdata

local nodes = setmetatable({}, { __mode = "k" }) -- by store

-- A database in memory is known to this process alone.
local function folder_of(store)
  local path = stores.path(store.url)
  return path and path .. ".nodes"
end

local function file_of(store, incarnation)
  local folder = folder_of(store)
  return folder and ("%s/%s"):format(folder, incarnation)
end

local function take_lock(store, node)
  local file = file_of(store, node.incarnation)
  if not file then return true end
  folders.make(file:match "^(.*)/")
  local err
  node.lock, err = locks.acquire(file)
  return node.lock ~= nil, err
end

local INSERT = [[INSERT INTO {nodes} (incarnation, node_id, pid, started_at, heartbeat_at) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (incarnation) DO NOTHING]]

local function write_row(store, node)
  local now = clock.wall_ms()
  return store:execute(INSERT, node.incarnation, node.node_id, uv.os_getpid(), now, now)
end

-- The lock comes first: a row without one is a dead process's.
local function register(store)
  local node = { incarnation = system.uuid7(), node_id = config.shared():get "node_id" or uv.os_gethostname() }
  local held, err = take_lock(store, node)
  if not held then return nil, err end
  local done
  done, err = write_row(store, node)
  if done then return node end
  if node.lock then node.lock:release() end
  return nil, err
end

--- Who this process is for a store; it is alive for all who share the store from now on.
---@async
---@param store curia.Store
---@return curia.Node?
---@return curia.Error? err kind `storage`
function M.current(store)
  if nodes[store] then return nodes[store] end
  local node, err = register(store)
  if not node then return nil, err end
  nodes[store] = nodes[store] or node -- another task may have been faster
  return nodes[store]
end

--- Says again that this process is alive, where somebody has taken its file away: until then it passes for dead.
---@async
---@param store curia.Store
---@return boolean? kept
---@return curia.Error? err kind `storage`, or `permanent`: the lock cannot be had
function M.keep(store)
  local node = nodes[store]
  local gone = node and node.lock and select(3, uv.fs_stat(file_of(store, node.incarnation))) == "ENOENT"
  if not gone then return true end
  local before = node.lock
  local held, err = take_lock(store, node)
  if not held then
    node.lock = before
    return nil, err
  end
  before:release()
  return write_row(store, node) and true
end

-- Only who gets the lock of another, or finds its file gone, knows that nobody has it: whoever cannot look (there is no
-- descriptor left, or no permission) takes it for alive. The file is not needed any more.
local function is_held(file)
  local found, _, code = uv.fs_stat(file)
  if not found then return code ~= "ENOENT" end
  local lock = locks.acquire(file)
  if not lock then return true end
  os.remove(file)
  lock:release()
  return false
end

--- Whether the process of an incarnation lives.
---@param store curia.Store
---@param incarnation string
---@return boolean
function M.is_alive(store, incarnation)
  local own = nodes[store]
  if own and own.incarnation == incarnation then return true end
  local file = file_of(store, incarnation)
  return file ~= nil and is_held(file)
end

--- Takes the rows of the dead away.
---@async
---@param store curia.Store
---@return true?
---@return curia.Error?
function M.tidy(store)
  local rows, err = store:query "SELECT incarnation FROM {nodes}"
  if not rows then return nil, err end
  for _, row in ipairs(rows) do
    if not M.is_alive(store, row.incarnation) then
      store:submit { { "DELETE FROM {nodes} WHERE incarnation = ?", row.incarnation } }
    end
  end
  return true
end

--- This process leaves: its runs are anybody's.
---@async
---@param store curia.Store
function M.leave(store)
  local node = nodes[store]
  if not node then return end
  nodes[store] = nil
  store:execute("DELETE FROM {nodes} WHERE incarnation = ?", node.incarnation)
  if not node.lock then return end
  os.remove(file_of(store, node.incarnation))
  node.lock:release()
end

return M
