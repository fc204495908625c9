--- The first run of an id, which a second start of the same id is (SPEC 9).
local equal = require "curia.equal"
local errors = require "curia.errors"
local rows = require "curia.store.runs"

local M = {}

local function duplicate(text, run_id, code)
  return nil, errors.new("duplicate_run", text:format(run_id), { code = code })
end

--- What the first start has come to, for one whose row could not be stored since there is one already.
---@async
---@param store curia.Store
---@param run curia.Run the second start
---@return curia.store.RunRow? row the first's, which has ended
---@return curia.Error? err kind `duplicate_run`: it was asked something else, or goes on (code `goes_on`); `storage`
function M.ended(store, run)
  local row, err = rows.get(store, run.namespace.name, run.id)
  if not row then return nil, err end
  local same = row.council == run.plan.spec.name and equal(row.input, run.input) and run.opts.idempotent ~= false
  if not same then return duplicate("there is a run %s already, with another council or input", run.id) end
  if not row.finalized_at then return duplicate("run %s goes on already", run.id, "goes_on") end
  return row
end

--- Makes a run what the first of its id has come to.
---@param run curia.Run
---@param row curia.store.RunRow
function M.adopt(run, row)
  run.status, run.outcome, run.failure = row.status, row.result, row.error and errors.wrap(row.error)
end

return M
