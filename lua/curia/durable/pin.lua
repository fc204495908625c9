--- Which council a run is of: as data where it can be, else by its file, so that it is resumed with the same one.
local council = require "curia.council"
local errors = require "curia.errors"
local language = require "curia.language"
local loader = require "curia.language.loader"
local system = require "curia.core.system"
local uv = require "luv"

local M = {}

---@class curia.durable.Pin
---@field spec_hash? string the content's hash of the council as data
---@field text? string that data
---@field source? string the file, "FILE" or "FILE#name"
---@field source_hash? string

-- Whoever resumes the run may stand in another folder.
local function absolute(path)
  return path:sub(1, 1) == "/" and path or uv.cwd() .. "/" .. path
end

local function pin(made)
  local text = made:to_json()
  local source = loader.source_of(made)
  return {
    spec_hash = text and system.sha256(text), text = text, source = source and absolute(source.path),
    source_hash = source and source.hash,
  }
end

local pinned = setmetatable({}, { __mode = "k" }) -- by council: none ever changes

--- Pins a council.
---@param made curia.Council
---@return curia.durable.Pin pin shared: read only
function M.of(made)
  pinned[made] = pinned[made] or pin(made)
  return pinned[made]
end

local function unknown(row)
  return errors.new("invalid_council", ("council %s of run %s is not known here"):format(row.council, row.run_id),
    { code = "unknown_council" })
end

local function changed(row)
  return errors.new("replay_mismatch", ("%s has changed since run %s began with it"):format(row.source, row.run_id),
    { code = "council_changed", context = { path = row.source, difference = {} } })
end

--- The council that is stored under a content hash. One with a key in its text is not stored as it was: then it is only
--- known where it was made.
---@async
---@param store curia.Store
---@param spec_hash string
---@return curia.Council? council nil: there is none
---@return curia.Error? err
function M.stored(store, spec_hash)
  local text, err = store:content(spec_hash)
  if err then return nil, err end
  if not text or system.sha256(text) ~= spec_hash then return nil end
  return language.council_from(text)
end

local function from_file(row, accept)
  local made = loader.load(row.source)
  if not made then return nil, unknown(row) end
  local source = loader.source_of(made)
  if row.source_hash and source and source.hash ~= row.source_hash and not accept then return nil, changed(row) end
  return made
end

--- The council of a stored run.
---@async
---@param store curia.Store
---@param row curia.store.RunRow
---@param opts {councils?: table<string, curia.Council>, registry: curia.Registry, accept?: string|string[]|true}
---@return curia.Council?
---@return curia.Error? err kind `invalid_council`, code `unknown_council`: not known here; `replay_mismatch`: the file
--- has changed
function M.find(store, row, opts)
  local given = opts.councils and opts.councils[row.council]
  if given then return given end
  if row.spec_hash then
    local stored, err = M.stored(store, row.spec_hash)
    if stored or err then return stored, err end
  end
  if row.source then return from_file(row, opts.accept) end
  local named = council.named(row.council, opts.registry)
  if named then return named end
  return nil, unknown(row)
end

return M
