--- The stores that this process has open: each once, with its tables brought up to date.
local at_rest = require "curia.store.at_rest"
local config = require "curia.config"
local errors = require "curia.errors"
local folders = require "curia.folders"
local migrate = require "curia.store.migrate"
local nodes = require "curia.recovery.node"
local stores = require "curia.store"
local task = require "curia.task"
local uv = require "luv"

local M = {}

local opening = {} -- by url and prefix: the task that opens it

local function open_with(ready, url, opts)
  local store, err = stores.open(url, opts)
  if not store then return nil, err end
  local done
  done, err = ready(store)
  if done then return store end
  store:close()
  return nil, err
end

local function for_writing(store)
  local done, err = migrate.up(store)
  if not done then return nil, err end
  return at_rest.apply(store, config.shared():get "at_rest")
end

local function for_reading(store)
  local done, err = migrate.check(store)
  if not done then return nil, err end
  local hooks = config.shared():get "at_rest"
  return at_rest.apply(store, hooks and { unseal = hooks.unseal })
end

-- What cannot be written to can be looked into all the same.
local function open(url, prefix)
  local store, err = open_with(for_writing, url, { prefix = prefix })
  if store or err.code ~= "readonly" then return store, err end
  return open_with(for_reading, url, { prefix = prefix, read_only = true })
end

local function key_of(url, prefix)
  return stores.canonical(url) .. "\0" .. (prefix or stores.PREFIX)
end

--- The store of an address, opened by the first who asks.
---@async
---@param url string "sqlite:PATH"
---@param prefix? string
---@return curia.Store?
---@return curia.Error? err kind `storage`
function M.of(url, prefix)
  local key = key_of(url, prefix)
  local first = opening[key] or task.spawn_root(open, url, prefix)
  opening[key] = first
  local ok, store, err = first:await()
  if ok and store then return store end
  if opening[key] == first then opening[key] = nil end -- the next who asks tries again
  return nil, ok and err or errors.wrap(store)
end

--- The folder of the store that no `store` of the configuration names; nil: there is none.
---@param conf curia.Config
---@return string?
function M.folder(conf)
  local own = conf:get "data_dir"
  if not own then return folders.data() end
  return own:sub(1, 1) == "/" and own or uv.cwd() .. "/" .. own
end

local function default_url(conf)
  local folder = M.folder(conf)
  if not folder then
    return nil, errors.new("storage",
      "there is no place for a store: neither `store` nor `data_dir` in the configuration, nor HOME",
      { code = "missing" })
  end
  return "sqlite:" .. folder .. "/curia.db"
end

--- Where the configured store is.
---@param conf curia.Config
---@return string?
---@return curia.Error? err kind `storage`
function M.url(conf)
  local url = conf:get "store"
  if url then return url end
  return default_url(conf)
end

--- Whether a store would have to be made: those who only look do not make it.
---@param url? string the configured store's
---@return curia.Error? err kind `storage`; code `nothing_stored`: it would; nil: there is one
function M.absence(url)
  local err
  if not url then url, err = M.url(config.shared()) end
  if not url then return err end
  local path = stores.path(url)
  if not path or uv.fs_stat(path) then return nil end
  return errors.new("storage", "nothing is stored yet: there is no " .. path, { code = "nothing_stored" })
end

--- The configured store; without one, `curia.db` in its folder, which is made.
---@async
---@param conf? curia.Config the shared one
---@param prefix? string other than the configured one
---@return curia.Store?
---@return curia.Error? err kind `storage`
function M.configured(conf, prefix)
  conf = conf or config.shared()
  local url, err = M.url(conf)
  if not url then return nil, err end
  if not conf:get "store" then folders.make(M.folder(conf)) end
  return M.of(url, prefix or conf:get "prefix")
end

--- The configured store, where there is reason to look into it: the configuration says that something is stored, or
--- it is open. Nothing is made otherwise.
---@async
---@param conf? curia.Config the shared one
---@return curia.Store?
---@return curia.Error?
function M.known(conf)
  conf = conf or config.shared()
  if conf:get "store" or conf:get "recorder" then return M.configured(conf) end
  local url = M.url(conf)
  if url and opening[key_of(url, conf:get "prefix")] then return M.configured(conf) end
end

--- Closes all of them, and leaves them as a node; who asks later opens anew.
---@async
function M.close()
  for key, first in pairs(opening) do
    opening[key] = nil
    local ok, store = first:await()
    if ok and store then
      nodes.leave(store)
      store:close()
    end
  end
end

return M
