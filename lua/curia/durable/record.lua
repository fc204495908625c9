--- The record of a run, as it is handed in again: page by page, so that it need not be in memory as a whole.
local errors = require "curia.errors"
local runs = require "curia.store.runs"

local M = {}

---@class curia.durable.Record
---@field begun table<string, {status: "started"|"reopened"|"abandoned"}> rows of steps without an outcome, by path
---@field under_way table[] those of them that an earlier process was about to do, in their order
---@field accepted table<string|true, true> paths of the steps whose input may differ; `true`: all
---@field reopened? boolean the run had failed
---@field decisions table[] those that were taken elsewhere and have not been handed in
---@field err? curia.Error why `entries` has ended too early
local Record = {}
Record.__index = Record

local PAGE = 256

local UNFINISHED = [[SELECT path, kind, status, result, input_hash, input FROM {steps} WHERE namespace = ? AND run_id = ?
  AND finished IS NULL AND status IN ('started', 'reopened', 'abandoned') ORDER BY id]]

local function read_unfinished(self)
  local rows, err = self.store:query(UNFINISHED, self.key.namespace, self.key.run_id)
  if not rows then return nil, err end
  for _, row in ipairs(rows) do
    if row.kind == "decision" then
      local outcome, problem = self.store:unpack(row.result)
      if problem then return nil, problem end
      table.insert(self.decisions, { kind = "decision", path = row.path, outcome = outcome, stored = true })
    else
      self.begun[row.path] = row
      if row.status == "started" then table.insert(self.under_way, row) end
    end
  end
  return true
end

-- ---- a run that has failed --------------------------------------------------------------------------

-- Whatever was asked for after an error had been handed in may depend on it: where that has come to something, the
-- error is final. So it is where that was under way when the last process died.
-- A tool or a step may depend on all that had been handed in by its end, where it has asked for effects inside: these
-- were handed in between the two, and are looked for nowhere else.
local FINAL = [[SELECT max(CASE WHEN s.kind <> 'call' AND EXISTS (SELECT 1 FROM {steps} AS i
    WHERE i.namespace = s.namespace AND i.run_id = s.run_id AND i.kind = 'inner'
    AND i.finished > s.asked_after AND i.finished < s.finished
    AND substr(i.path, 1, length(s.path) + 1) = s.path || '/') THEN s.finished ELSE s.asked_after END) AS last
  FROM {steps} AS s WHERE s.namespace = ? AND s.run_id = ? AND (s.failed = 0 AND s.kind IN ('call', 'tool', 'step')
    OR s.status = 'started' AND s.kind <> 'decision')]]

-- What a budget granted and a set of tools listed after that has led to nothing, and may have been asked for because of
-- such an error.
local REOPEN = {
  [[UPDATE {steps} SET status = 'reopened', finished = NULL, result = NULL WHERE namespace = ? AND run_id = ?
    AND kind IN ('call', 'tool', 'step')
    AND (failed = 1 AND finished > ? OR status = 'abandoned' AND asked_after >= ?)]],
  [[UPDATE {steps} SET status = 'reopened', finished = NULL, result = NULL WHERE namespace = ? AND run_id = ?
    AND kind IN ('budget', 'list') AND (finished > ? OR status = 'abandoned' AND asked_after >= ?)]],
  [[UPDATE {steps} SET status = 'started', finished = NULL WHERE namespace = ? AND run_id = ? AND kind = 'decision'
    AND finished > ? AND ? IS NOT NULL]],
  [[DELETE FROM {steps} WHERE namespace = ? AND run_id = ? AND finished > ?
    AND kind IN ('time', 'begun', 'cancel', 'resume', 'inner', 'left') AND ? IS NOT NULL]],
}

--- Takes the errors back that have ended a run, and all that only time has brought since: they are tried once more.
---@async
---@param store curia.Store
---@param key {namespace: string, run_id: string}
---@param fence integer under which this process has the run
---@return true?
---@return curia.Error? err code `unexpected_rows`: it is another's by now
function M.reopen(store, key, fence)
  local found, err = store:query(FINAL, key.namespace, key.run_id)
  if not found then return nil, err end
  local last, unit = found[1].last or 0, {}
  runs.update(store, unit, key, fence, {})
  for _, text in ipairs(REOPEN) do unit[#unit + 1] = { text, key.namespace, key.run_id, last, last } end
  local done
  done, err = store:write(unit)
  return done and true, err
end

local LAST_EVENT = "SELECT max(seq) AS last FROM {run_events} WHERE namespace = ? AND run_id = ?"

--- The number of the last event that is stored of a run.
---@async
---@param run_id string
---@return integer
function Record:last_event(run_id)
  local rows, err = self.store:query(LAST_EVENT, self.key.namespace, run_id)
  if not rows then error(err, 0) end
  return rows[1].last or 0
end

local function set_of(accept)
  local accepted = {}
  for _, path in ipairs(type(accept) == "table" and accept or { accept or nil }) do accepted[path] = true end
  return accepted
end

--- Opens the record of a run.
---@async
---@param store curia.Store
---@param key {namespace: string, run_id: string}
---@param seen table<string, true> takes what is stored: the hashes of texts
---@param accept? string|string[]|boolean the paths of the steps whose input may differ; true: of all
---@return curia.durable.Record?
---@return curia.Error?
function M.open(store, key, seen, accept)
  local record = setmetatable({
    store = store, key = key, seen = seen, accepted = set_of(accept), begun = {}, under_way = {}, decisions = {},
  }, Record)
  local ok, err = read_unfinished(record)
  if ok then return record end
  return nil, err
end

local FINISHED = [[SELECT path, kind, input_hash, input, finished, at_ms, result FROM {steps} WHERE namespace = ?
  AND run_id = ? AND finished > ? ORDER BY finished LIMIT ?]]

-- So much text is fetched at a time: one query for many short answers, few of them where they are long.
local MOST_BYTES = 4 * 1024 * 1024

local SIZES = "SELECT hash, length(content) AS size FROM {blobs} WHERE hash IN (?%s)"

local function sizes_of(self, hashes)
  local sizes = {}
  if #hashes == 0 then return sizes end
  local rows, err = self.store:query(SIZES:format((", ?"):rep(#hashes - 1)), table.unpack(hashes))
  if not rows then error(err, 0) end
  for _, row in ipairs(rows) do sizes[row.hash] = row.size end
  return sizes
end

-- Notes for each row which texts it has apart, and how long these are.
local function look_ahead(self, page)
  local hashes, all = {}, {}
  for i, row in ipairs(page) do
    hashes[i] = row.result and self.store:hashes(row.result) or {}
    table.move(hashes[i], 1, #hashes[i], #all + 1, all)
  end
  local sizes = sizes_of(self, all)
  for i, row in ipairs(page) do
    row.apart, row.size = hashes[i], 0
    for _, hash in ipairs(hashes[i]) do row.size = row.size + (sizes[hash] or 0) end
  end
end

-- The texts of a row and of those behind it.
local function fetch(self, page, at)
  local wanted, size = {}, 0
  repeat
    local row = page[at]
    table.move(row.apart, 1, #row.apart, #wanted + 1, wanted)
    row.fetched, size, at = true, size + row.size, at + 1
  until not page[at] or size + page[at].size > MOST_BYTES
  local contents, err = self.store:contents(wanted)
  if not contents then error(err, 0) end
  self.texts = contents
  for hash, text in pairs(contents) do self.store:know(self.seen, hash, text) end
end

local function unpacked(self, bytes, texts)
  if bytes == nil then return nil end
  local value, err = self.store:unpack(bytes, texts)
  if err then error(err, 0) end
  return value
end

--- A step, as what the council asks for is held against it.
---@param row table
---@return curia.durable.Entry
function Record:entry_of(row)
  return {
    path = row.path, kind = row.kind, hash = row.input_hash, input = function() return unpacked(self, row.input) end,
    accepted = self.accepted[true] or self.accepted[row.path],
  }
end

local function finished_entry(self, page, at)
  local row = page[at]
  if not row.fetched then fetch(self, page, at) end
  local outcome = unpacked(self, row.result, self.texts)
  if outcome and outcome.error then outcome.error = errors.wrap(outcome.error) end
  local entry = self:entry_of(row)
  entry.number, entry.at_ms, entry.outcome = row.finished, row.at_ms, outcome
  return entry
end

local function page_after(self, number)
  local rows, err = self.store:query(FINISHED, self.key.namespace, self.key.run_id, number, PAGE)
  if not rows then error(err, 0) end
  look_ahead(self, rows)
  return rows
end

--- for entry in record:entries() do ... end: what was handed in, in its order. Afterwards `err` says whether it was
--- read to its end.
---@async
---@return fun(): curia.durable.Entry?
function Record:entries()
  local last, page, at = 0, {}, 0
  local function read()
    if at >= #page and (last == 0 or #page == PAGE) then page, at = page_after(self, last), 0 end
    at = at + 1
    local row = page[at]
    if not row then return nil end
    local entry = finished_entry(self, page, at)
    page[at], last = false, row.finished
    return entry
  end
  return function()
    local ok, entry = pcall(read)
    if ok then return entry end
    self.err = entry
  end
end

return M
