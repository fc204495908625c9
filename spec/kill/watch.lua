--- Watches what is written to a store: triggers note, in the order of the commits, what must never be written.
local M = {}

local EFFECT = "NEW.kind IN ('call', 'tool', 'step')"
local FENCED = EFFECT .. [[ AND NEW.fence <> (SELECT fence FROM {runs} AS r
  WHERE r.namespace = NEW.namespace AND r.run_id = NEW.run_id)]]

local NEVER = {
  ["a step changed after its outcome"] = "AFTER UPDATE ON {steps} WHEN " .. EFFECT
    .. " AND OLD.status = 'finished' AND (NEW.status <> 'finished' OR NEW.result IS NOT OLD.result)",
  ["a step begun by a fenced owner"] = "AFTER INSERT ON {steps} WHEN " .. FENCED,
  ["a step changed by a fenced owner"] = "AFTER UPDATE ON {steps} WHEN " .. FENCED,
  ["a run changed after its end"] = [[AFTER UPDATE ON {runs} WHEN OLD.finalized_at IS NOT NULL
    AND (NEW.status <> OLD.status OR NEW.result IS NOT OLD.result)]],
  ["a run taken without raising its fence"] = [[AFTER UPDATE ON {runs} WHEN NEW.fence = OLD.fence
    AND NEW.incarnation <> OLD.incarnation AND NEW.incarnation <> 'nobody']],
  ["a fence that falls"] = "AFTER UPDATE ON {runs} WHEN NEW.fence < OLD.fence",
}

--- Begins to watch a store that has its tables.
---@async
---@param store curia.Store
function M.start(store)
  assert(store:execute "CREATE TABLE noted (what TEXT, run_id TEXT)")
  local number = 0
  for what, when in pairs(NEVER) do
    number = number + 1
    assert(store:execute(("CREATE TRIGGER noted_%d %s BEGIN INSERT INTO noted VALUES ('%s', NEW.run_id); END"):format(
      number, when, what)))
  end
end

--- What was written and must not be.
---@async
---@param store curia.Store
---@return {what: string, run_id: string}[]
function M.noted(store)
  return assert(store:query "SELECT what, run_id FROM noted")
end

return M
