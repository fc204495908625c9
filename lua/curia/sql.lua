--- Databases: units of work in, rows out, without holding the loop.
--
--     local db <close>, err = sql.open "sqlite:notes.db"
--     db:write { { "CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, text TEXT)" } }
--     db:write { { "INSERT INTO notes (text) VALUES (?)", "first" }, { "UPDATE ...", expect_rows = 1 } }
--     for _, row in ipairs(db:query("SELECT id, text FROM notes WHERE id > ?", 0)) do print(row.id, row.text) end
--
-- A unit is a list of statements that take effect together or not at all; a unit that `write` has
-- returned from is on the disk. Many units at once share one commit. NULL is curia.null, or nil where
-- `n` says how many values there are; a row has no entry for it.
local core = require "curia.core.sql"
local errors = require "curia.errors"
local suggest = require "curia.suggest"
local uv = require "luv"

local M = {}

local BUSY_MS = 5000

---@class curia.sql.Statement a text with `?` for its values, then the values
---@field [1] string
---@field n? integer how many values, where some are nil
---@field rows? any[][] in place of the values: lists of `n` values each, of a text that has many
---@field expect_rows? integer how many rows it must change or return; otherwise the whole unit is undone

---@alias curia.sql.Rows table<string, any>[] a table by column for each row; `changes` counts the changed ones

---@class curia.sql.Unit
---@field await fun(self): curia.sql.Rows[]?, curia.Error? async: the rows of each statement, or why not
---@field finished fun(self): boolean
---@field cancel fun(self) takes back what has not begun, and interrupts a read; a write that runs goes on

---@class curia.sql.Database
---@field url string
local Database = { __name = "curia.sql" }
Database.__index = Database

-- ---- opening --------------------------------------------------------------------------------------

local OPTIONS = { read_only = "boolean", busy_ms = "number" }

local function check_options(opts)
  for name, value in pairs(opts) do
    local expected = OPTIONS[name]
    if not expected then error(("sql.open: unknown option '%s'%s"):format(name, suggest.hint(name, OPTIONS)), 3) end
    if type(value) ~= expected then error(("sql.open: %s: %s expected"):format(name, expected), 3) end
  end
end

local function path_of(url)
  local scheme, rest = url:match "^(%a[%w+]*):(.*)$"
  local path = scheme == "sqlite" and rest:gsub("^//", "") or ""
  if path ~= "" then return path end
  return nil, errors.new("storage", ("'%s': a store is named as sqlite:PATH"):format(url), { code = "unknown_store" })
end

local function in_file(self, err)
  if err.kind == "storage" then err.message = ("%s: %s"):format(self.url, err.message) end
  return err
end

-- What SQLite does not say; nil: it cannot be seen from outside.
local function obstacle(path)
  local found = uv.fs_stat(path)
  if found and found.type == "directory" then return "it is a folder" end
  if found then
    if not uv.fs_access(path, "R") then return "there is no permission to read it" end
    return not uv.fs_access(path, "W") and "it cannot be written to: its permissions, or its file system" or nil
  end
  local folder = path:match "^(.*)/[^/]*$" or "."
  if folder == "" then folder = "/" end
  if not uv.fs_stat(folder) then return ("there is no folder %s"):format(folder) end
  return not uv.fs_access(folder, "W") and ("the folder %s cannot be written to"):format(folder) or nil
end

local OBSTRUCTED = { cannot_open = true, readonly = true }

local function explained(err, path)
  local reason = OBSTRUCTED[err.code] and obstacle(path)
  if reason then err.message = ("%s (%s)"):format(err.message, reason) end
  return err
end

local function outcome(self, unit)
  local results, err = unit:await()
  if results then return results end
  return nil, in_file(self, err)
end

--- Opens a database, making it when there is none.
---@async
---@param url string "sqlite:PATH"; "sqlite::memory:" is one that nobody else sees
---@param opts? {read_only?: boolean, busy_ms?: number} `busy_ms`: how long to wait for other processes' writes
---@return curia.sql.Database?
---@return curia.Error? err kind `storage`, with a `code`: cannot_open, not_a_database, corrupt, busy, ...
function M.open(url, opts)
  opts = opts or {}
  check_options(opts)
  local path, err = path_of(url)
  if not path then return nil, err end
  local handle
  handle, err = core.open(path, opts.read_only or false, math.tointeger(opts.busy_ms or BUSY_MS))
  if not handle then return nil, err end
  local db = setmetatable({ url = url, handle = handle }, Database)
  local _, problem = outcome(db, handle:submit(opts.read_only and "read" or "write", { { "SELECT 1" } }))
  if not problem then return db end
  handle:close()
  return nil, explained(problem, path)
end

--- A value that is stored as bytes, not as text.
---@param bytes string
---@return table
function M.bytes(bytes)
  if type(bytes) ~= "string" then error("bad argument #1 to 'bytes' (string expected)", 2) end
  return { bytes = bytes }
end

-- ---- units ----------------------------------------------------------------------------------------

--- Hands a unit over without waiting for it. Writes are carried out in this order.
---@param statements curia.sql.Statement[]
---@return curia.sql.Unit
function Database:submit(statements)
  return self.handle:submit("write", statements)
end

--- Carries out a unit; all of it, or nothing.
---@async
---@param statements curia.sql.Statement[]
---@return curia.sql.Rows[]? results one for each statement; on the disk by then
---@return curia.Error? err kind `storage`; `statement` is the number of the one that failed
function Database:write(statements)
  return outcome(self, self.handle:submit("write", statements))
end

--- Reads in one consistent view, beside what is being written.
---@async
---@param statements curia.sql.Statement[]
---@return curia.sql.Rows[]?
---@return curia.Error?
function Database:read(statements)
  return outcome(self, self.handle:submit("read", statements))
end

--- The rows of one statement.
---@async
---@param text string
---@param ... any its values
---@return curia.sql.Rows?
---@return curia.Error?
function Database:query(text, ...)
  local results, err = self:read { { text, n = select("#", ...), ... } }
  return results and results[1], err
end

--- Carries out one statement.
---@async
---@param text string
---@param ... any its values
---@return curia.sql.Rows? rows with `changes`
---@return curia.Error?
function Database:execute(text, ...)
  local results, err = self:write { { text, n = select("#", ...), ... } }
  return results and results[1], err
end

-- ---- looking after it -----------------------------------------------------------------------------

--- Copies the database, as it is now, into a new file, while it is in use.
---@async
---@param path string must not exist
---@return true?
---@return curia.Error?
function Database:backup(path)
  local results, err = outcome(self, self.handle:backup(path))
  return results and true, err
end

--- Reads all of it and looks for damage.
---@async
---@return true?
---@return curia.Error? err code `corrupt`, with the findings in the message
function Database:check()
  local rows, err = self:query "PRAGMA integrity_check(10)"
  if not rows then return nil, err end
  local findings = {}
  for i, row in ipairs(rows) do findings[i] = row.integrity_check end
  if findings[1] == "ok" then return true end
  return nil, in_file(self, errors.new("storage", table.concat(findings, "; "), { code = "corrupt" }))
end

--- Carries out what was submitted, then closes. Idempotent.
---@async
function Database:close()
  self.handle:close()
end

-- It cannot wait there (PITFALLS P3): what was submitted is carried out all the same.
function Database:__close()
  getmetatable(self.handle).__close(self.handle)
end

return M
