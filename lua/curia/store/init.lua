--- A store: a database with Curia's tables in it.
local clock = require "curia.core.clock"
local dialect = require "curia.store.dialect"
local sql = require "curia.sql"
local values = require "curia.store.values"

local M = {}

---@class curia.Store
---@field url string
---@field prefix string
---@field db curia.sql.Database
---@field seal? fun(bytes: string): string what users' data goes through before it is stored
---@field unseal? fun(bytes: string): string the way back
local Store = { __name = "curia.store" }
Store.__index = Store

local PREFIX = "curia_"

local function check_prefix(prefix)
  if type(prefix) == "string" and prefix:find "^[%a_][%w_]*$" and #prefix <= 32 then return prefix end
  error("bad argument #2 to 'open' (prefix: letters, digits and _, at most 32, expected)", 3)
end

--- Opens a store; its tables are what `curia.store.migrate` makes of them.
---@async
---@param url string as for `sql.open`
---@param opts? {prefix?: string, read_only?: boolean, busy_ms?: number} `prefix` of the tables' names: "curia_"
---@return curia.Store?
---@return curia.Error?
function M.open(url, opts)
  opts = opts or {}
  local prefix = check_prefix(opts.prefix or PREFIX)
  local db, err = sql.open(url, { read_only = opts.read_only, busy_ms = opts.busy_ms })
  if not db then return nil, err end
  return setmetatable({ url = url, prefix = prefix, db = db, sql_of = dialect.translator("sqlite", prefix) }, Store)
end

--- A text with its tables' real names.
---@param text string with names in braces
---@return string
function Store:sql(text)
  return self.sql_of(text)
end

local function translated(self, unit)
  local own = {}
  for i, statement in ipairs(unit) do
    local copy = table.move(statement, 2, statement.n and statement.n + 1 or #statement, 2, {})
    copy[1], copy.n, copy.expect_rows = self.sql_of(statement[1]), statement.n, statement.expect_rows
    own[i] = copy
  end
  return own
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

local function unsealed(self, bytes)
  return self.unseal and self.unseal(bytes) or bytes
end

--- Readies a value for a column; its long texts are added to the unit as blobs, each once.
---@param unit curia.sql.Statement[]
---@param value any a JSON value
---@param seen? table<string, true> hashes of what is known to be stored; those added are noted
---@return table bytes for a statement. A value without a form in JSON raises
function Store:pack(unit, value, seen)
  local encoded, err = values.encode(value)
  if not encoded then error(err, 0) end
  for _, blob in ipairs(encoded.blobs) do
    if not (seen and seen[blob.hash]) then
      if seen then seen[blob.hash] = true end
      unit[#unit + 1] = {
        [[INSERT INTO {blobs} (hash, content, inserted_at) VALUES (?, ?, ?)
          ON CONFLICT (hash) DO UPDATE SET inserted_at = excluded.inserted_at]],
        blob.hash, sealed(self, blob.content), clock.wall_ms(),
      }
    end
  end
  return sealed(self, encoded.bytes)
end

local function fetch_blobs(self, hashes)
  local contents = {}
  for _, hash in ipairs(hashes) do
    if not contents[hash] then
      local rows, err = self:query("SELECT content FROM {blobs} WHERE hash = ?", hash)
      if not rows then return nil, err end
      contents[hash] = rows[1] and unsealed(self, rows[1].content)
    end
  end
  return contents
end

--- The value of a column that `pack` has readied.
---@async
---@param bytes string
---@return any
---@return curia.Error? err kind `storage`
function Store:unpack(bytes)
  bytes = unsealed(self, bytes)
  local contents, err = fetch_blobs(self, values.hashes(bytes))
  if not contents then return nil, err end
  return values.decode(bytes, function(hash) return contents[hash] end)
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
