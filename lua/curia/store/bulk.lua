--- Many rows in one statement: what is written together costs little more than one row.
local M = {}

---@class curia.store.Insert
---@field columns string[]
---@field into string
---@field tail? string what follows the rows: ON CONFLICT ...

-- An engine takes only so many values in a statement (SQLite 32,766, Postgres 65,535), and its text is remembered.
local MOST_ROWS = 64

--- An insertion of rows: `put(unit, rows)` adds as many statements to a unit as it takes. A row is the list of its
--- columns' values, nil for NULL; it must not be changed any more.
---@param what curia.store.Insert
---@return fun(unit: curia.sql.Statement[], rows: any[][]) put
function M.insert(what)
  local width, texts = #what.columns, {}
  local head = ("INSERT INTO %s (%s) VALUES "):format(what.into, table.concat(what.columns, ", "))
  local row = "(" .. ("?, "):rep(width - 1) .. "?)"
  local function text(count)
    texts[count] = texts[count] or head .. (row .. ", "):rep(count - 1) .. row .. (what.tail or "")
    return texts[count]
  end
  return function(unit, rows)
    for from = 1, #rows, MOST_ROWS do
      local some = #rows <= MOST_ROWS and rows or table.move(rows, from, from + MOST_ROWS - 1, 1, {})
      unit[#unit + 1] = { text(#some), rows = some, n = width }
    end
  end
end

return M
