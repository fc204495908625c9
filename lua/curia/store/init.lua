--- A store: a database with Curia's tables in it.
local dialect = require "curia.store.dialect"
local sql = require "curia.sql"

local M = {}

---@class curia.Store
---@field url string
---@field prefix string
---@field db curia.sql.Database
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

--- Carries out what was handed over, then closes. Idempotent.
---@async
function Store:close()
  self.db:close()
end

function Store:__close()
  getmetatable(self.db).__close(self.db)
end

return M
