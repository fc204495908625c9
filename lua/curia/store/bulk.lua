--- Many rows in one statement: what is written together costs little more than one row.
local M = {}

---@class curia.store.Insert
---@field columns string[]
---@field into string
---@field tail? string what follows the rows: ON CONFLICT ...

-- An engine takes only so many values in a statement (SQLite 32,766, Postgres 65,535), and its text is remembered.
local MOST_ROWS = 64

local Rows = {}
Rows.__index = Rows

--- Adds a row: as many values as there are columns, nil for NULL.
function Rows:add(...)
  if self.count == 0 then
    self.values = { false, ... } -- the statement's text comes first
  else
    local width = self.shape.width
    table.move({ ... }, 1, width, self.count * width + 2, self.values)
  end
  self.count = self.count + 1
  if self.count == MOST_ROWS then self:flush() end
end

--- Closes a statement.
function Rows:flush()
  if self.count == 0 then return end
  local statement = self.values
  statement[1], statement.n = self.shape.text(self.count), self.count * self.shape.width
  self.statements[#self.statements + 1] = statement
  self.values, self.count = nil, 0
end

--- Puts all rows at the end of a unit.
---@param unit curia.sql.Statement[]
function Rows:put(unit)
  self:flush()
  table.move(self.statements, 1, #self.statements, #unit + 1, unit)
end

--- An insertion of rows, of which any number may be made into statements.
---@param what curia.store.Insert
---@return {rows: fun(): table} `rows()` collects them: `add(...)`, then `put(unit)`
function M.insert(what)
  local width, texts = #what.columns, {}
  local head = ("INSERT INTO %s (%s) VALUES "):format(what.into, table.concat(what.columns, ", "))
  local row = "(" .. ("?, "):rep(width - 1) .. "?)"
  local shape = { width = width }
  function shape.text(count)
    texts[count] = texts[count] or head .. (row .. ", "):rep(count - 1) .. row .. (what.tail or "")
    return texts[count]
  end
  return { rows = function() return setmetatable({ shape = shape, count = 0, statements = {} }, Rows) end }
end

return M
