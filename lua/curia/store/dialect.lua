--- What differs between the engines' SQL: everything else is written once, with names in braces.
--
-- `{runs}` is a table with its prefix; `{serial}`, `{bytes}`, `{now}` are what the engine calls these.
local suggest = require "curia.suggest"

local M = {}

--- The tables, in the order in which they may be dropped.
M.tables = {
  "workflow_steps", "workflows", "jobs", "schedules", "steps", "run_events", "runs", "nodes", "blobs",
  "reliability", "calibration", "registry", "meta",
}

local SQLITE = {
  serial = "INTEGER PRIMARY KEY", bytes = "BLOB",
  now = "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)", -- Unix ms; `subsec` needs 3.42
}

--- Gives the function that translates texts for an engine; it remembers what it has translated.
---@param engine "sqlite"
---@param prefix string in front of each table's name
---@return fun(text: string): string
function M.translator(engine, prefix)
  assert(engine == "sqlite", "no such engine")
  local words = {}
  for _, name in ipairs(M.tables) do words[name] = prefix .. name end
  for name, word in pairs(SQLITE) do words[name] = word end
  local known = {}
  local function word(name)
    return words[name] or error(suggest.message("table", name, words), 3)
  end
  return function(text)
    local translated = known[text]
    if not translated then
      translated = text:gsub("{([%w_]+)}", word)
      known[text] = translated
    end
    return translated
  end
end

return M
