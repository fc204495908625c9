--- What becomes of a stored run: whether its process lives, and which command goes on with it.
local node = require "curia.recovery.node"

local M = {}

---@class curia.cli.Fate
---@field state string a word in place of the status
---@field note string the same in a sentence
---@field command? string goes on with the run; nil where none does

local function resume(row)
  return row.durability ~= "none" and not row.parent_run_id and "curia resume " .. row.run_id or nil
end

local function died(row)
  local lost = row.durability == "none" and ", and it is lost: it was not durable" or ""
  return { state = "died", note = "its process has died" .. lost, command = resume(row) }
end

-- A run inside of another has no process of its own.
local function is_let_go(row)
  return not row.incarnation and row.status ~= "blocked" and row.durability ~= "none" and not row.parent_run_id
end

--- What there is to say of a run that nobody goes on with, and that waits for no decision either; nil of any other.
---@param store curia.Store
---@param row table `run_id`, `status`, `durability`, `incarnation`, `finalized_at`, `parent_run_id` of {runs}
---@return curia.cli.Fate?
function M.of(store, row)
  if row.finalized_at then return nil end
  if row.incarnation then return not node.is_alive(store, row.incarnation) and died(row) or nil end
  return is_let_go(row) and { state = "let go", note = "nobody has it now", command = resume(row) } or nil
end

return M
