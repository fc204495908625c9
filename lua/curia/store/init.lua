--- A store: a database with Curia's tables in it.
local at_rest = require "curia.store.at_rest"
local clock = require "curia.core.clock"
local dialect = require "curia.store.dialect"
local redact = require "curia.redact"
local sql = require "curia.sql"
local system = require "curia.core.system"
local uv = require "luv"
local values = require "curia.store.values"

local M = {}

---@class curia.Store
---@field url string without links, and the same wherever the process goes
---@field prefix string
---@field db curia.sql.Database
---@field seal? fun(bytes: string): string what users' data goes through before it is stored
---@field unseal? fun(bytes: string): string the way back
---@field is_locked? boolean it has sealed data, and no `unseal`: see `curia.store.at_rest`
local Store = { __name = "curia.store" }
Store.__index = Store

--- In front of the tables' names, where nothing else is said.
M.PREFIX = "curia_"

local function check_prefix(prefix)
  if type(prefix) == "string" and prefix:find "^[%a_][%w_]*$" and #prefix <= 32 then return prefix end
  error("bad argument #2 to 'open' (prefix: letters, digits and _, at most 32, expected)", 3)
end

--- The file of a store's address, or nil where it has none.
---@param url string
---@return string?
function M.path(url)
  local rest = url:match "^sqlite:(.*)$"
  local path = rest and rest:gsub("^//", "")
  return path ~= ":memory:" and path ~= "" and path or nil
end

-- What is not there yet has a folder all the same.
local function real(path)
  local found = uv.fs_realpath(path)
  if found then return found end
  local folder, name = path:match "^(.-)([^/]+)$"
  found = name and uv.fs_realpath(folder == "" and "." or folder)
  return found and (found == "/" and "" or found) .. "/" .. name or path
end

--- The address of the same store that all its names lead to: absolute, without links.
---@param url string
---@return string
function M.canonical(url)
  local path = M.path(url)
  return path and "sqlite:" .. real(path) or url
end

--- Opens a store; its tables are what `curia.store.migrate` makes of them.
---@async
---@param url string as for `sql.open`
---@param opts? {prefix?: string, read_only?: boolean, busy_ms?: number} `prefix` of the tables' names: "curia_"
---@return curia.Store?
---@return curia.Error?
function M.open(url, opts)
  opts = opts or {}
  local prefix = check_prefix(opts.prefix or M.PREFIX)
  local db, err = sql.open(url, { read_only = opts.read_only, busy_ms = opts.busy_ms })
  if not db then return nil, err end
  url = M.canonical(url)
  return setmetatable({ url = url, prefix = prefix, db = db, sql_of = dialect.translator("sqlite", prefix) }, Store)
end

--- A text with its tables' real names.
---@param text string with names in braces
---@return string
function Store:sql(text)
  return self.sql_of(text)
end

-- In place: a text that has its tables' real names stays as it is.
local function translated(self, unit)
  for _, statement in ipairs(unit) do statement[1] = self.sql_of(statement[1]) end
  return unit
end

--- Carries out a unit; see `curia.sql`.
---@async
---@param unit curia.sql.Statement[]
---@return curia.sql.Rows[]?
---@return curia.Error?
function Store:write(unit)
  return self.db:write(translated(self, unit))
end

--- Hands a unit over without waiting for it.
---@param unit curia.sql.Statement[]
---@return curia.sql.Unit
function Store:submit(unit)
  return self.db:submit(translated(self, unit))
end

--- Reads in one consistent view.
---@async
---@param unit curia.sql.Statement[]
---@return curia.sql.Rows[]?
---@return curia.Error?
function Store:read(unit)
  return self.db:read(translated(self, unit))
end

--- The rows of one statement.
---@async
---@param text string
---@param ... any
---@return curia.sql.Rows?
---@return curia.Error?
function Store:query(text, ...)
  return self.db:query(self.sql_of(text), ...)
end

--- Carries out one statement.
---@async
---@param text string
---@param ... any
---@return curia.sql.Rows?
---@return curia.Error?
function Store:execute(text, ...)
  return self.db:execute(self.sql_of(text), ...)
end

-- ---- users' data ----------------------------------------------------------------------------------

local function sealed(self, bytes)
  return sql.bytes(self.seal and self.seal(bytes) or bytes)
end

-- What is encoded has its bytes where a statement looks for them.
local function sealed_value(self, encoded)
  return self.seal and sealed(self, encoded.bytes) or encoded
end

local function unsealed(self, bytes)
  return self.unseal and self.unseal(bytes) or bytes
end

-- What is spoken of again is young again: nobody who tidies up takes it away (`prune`).
local PUT_BLOB = [[INSERT INTO {blobs} (hash, content, inserted_at) VALUES (?, ?, ?)
  ON CONFLICT (hash) DO UPDATE SET inserted_at = excluded.inserted_at]]

-- Whoever knows what is stored knows the hashes of its texts too.
local texts = setmetatable({}, { __mode = "k" }) -- by `seen`

-- A result stands in a run's row, in its last event and in a round's. A unit is made at once: nothing in it changes
-- meanwhile, and what stands in it twice is written once.
local fragments = setmetatable({}, { __mode = "k" }) -- by unit

local function kept(by, key)
  by[key] = by[key] or {}
  return by[key]
end

--- Notes a text that was read from the store: it need not be written again.
---@param seen table<string, true>
---@param hash string
---@param text string
function Store:know(seen, hash, text)
  seen[hash], kept(texts, seen)[text] = true, hash
end

--- Readies a value for a column; its long texts are added to the unit as blobs, each once.
---@param unit curia.sql.Statement[]
---@param value any a JSON value
---@param seen? table<string, true> hashes of what is known to be stored; those added are noted
---@return table bytes for a statement. A value without a form in JSON raises
function Store:pack(unit, value, seen)
  local encoded, err = values.encode(value, seen and kept(texts, seen), kept(fragments, unit))
  if not encoded then error(err, 0) end
  return self:put(unit, encoded, seen)
end

--- The same for a value that is encoded already.
---@param unit curia.sql.Statement[]
---@param encoded curia.store.Encoded loses its secrets
---@param seen? table<string, true>
---@return table bytes for a statement
function Store:put(unit, encoded, seen)
  local parts = values.mask(encoded).parts
  for i = 1, #parts, 2 do
    local hash = parts[i]
    if not (seen and seen[hash]) then
      if seen then seen[hash] = true end
      unit[#unit + 1] = { PUT_BLOB, hash, sealed(self, parts[i + 1]), clock.wall_ms() }
    end
  end
  return sealed_value(self, encoded)
end

--- Adds a text to a unit, as content that is found by its hash. Secrets are taken out of it; the hash stays that of
--- what was given, so that who has the same text still knows it.
---@param unit curia.sql.Statement[]
---@param text string
---@return string hash
function Store:put_content(unit, text)
  local hash = system.sha256(text)
  unit[#unit + 1] = { PUT_BLOB, hash, sealed(self, redact.lasting(text)), clock.wall_ms() }
  return hash
end

--- The text of a hash.
---@async
---@param hash string
---@return string? text nil: there is none
---@return curia.Error?
function Store:content(hash)
  if self.is_locked then return nil, at_rest.error(self) end
  local rows, err = self:query("SELECT content FROM {blobs} WHERE hash = ?", hash)
  if not rows then return nil, err end
  return rows[1] and unsealed(self, rows[1].content)
end

--- The texts of some hashes, at most a thousand; those that are not there are missing.
---@async
---@param hashes string[]
---@return table<string, string>?
---@return curia.Error?
function Store:contents(hashes)
  local contents = {}
  if #hashes == 0 then return contents end
  if self.is_locked then return nil, at_rest.error(self) end
  local text = ("SELECT hash, content FROM {blobs} WHERE hash IN (?%s)"):format((", ?"):rep(#hashes - 1))
  local rows, err = self:query(text, table.unpack(hashes))
  if not rows then return nil, err end
  for _, row in ipairs(rows) do contents[row.hash] = unsealed(self, row.content) end
  return contents
end

--- The hashes of the texts that a packed value has apart.
---@param bytes string
---@return string[]
function Store:hashes(bytes)
  return values.hashes(unsealed(self, bytes))
end

--- The value of a column that `pack` has readied.
---@async
---@param bytes string
---@param known? table<string, string> the texts that it has apart, where they were fetched already
---@return any
---@return curia.Error? err kind `storage`
function Store:unpack(bytes, known)
  if self.is_locked then return nil, at_rest.error(self) end
  bytes = unsealed(self, bytes)
  local contents, err = known, nil
  if not contents then contents, err = self:contents(values.hashes(bytes)) end
  if not contents then return nil, err end
  return values.decode(bytes, function(hash) return contents[hash] end)
end

--- A row with some of its columns unpacked, where it has them.
---@async
---@param row table changed
---@param names string[]
---@return table? row
---@return curia.Error?
function Store:unpack_columns(row, names)
  for _, name in ipairs(names) do
    if row[name] ~= nil then
      local value, err = self:unpack(row[name])
      if err then return nil, err end
      row[name] = value
    end
  end
  return row
end

--- Carries out what was handed over, then closes. Idempotent.
---@async
function Store:close()
  self.db:close()
end

function Store:__close()
  getmetatable(self.db).__close(self.db)
end

return M
