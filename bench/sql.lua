--- The SQL service on SQLite: rows of some 400 bytes a second, one commit each, and as many as wait together.
--
--     build/release/bin/curia lua bench/sql.lua [FOLDER]     on the disk that holds FOLDER
local clock = require "curia.core.clock"
local sql = require "curia.sql"
local system = require "curia.core.system"

local ROWS, SINGLE = 100000, 2000
local TEXT = ("x"):rep(400)

local path = (arg[1] or ".") .. "/bench-sql.db"

local function insert(run, seq)
  return { { "INSERT INTO events (run, seq, payload) VALUES (?, ?, ?)", run, seq, TEXT } }
end

local function measure(name, rows, fn)
  local wall, cpu = clock.us(), system.cpu_us()
  fn()
  wall, cpu = clock.us() - wall, system.cpu_us() - cpu
  print(("%-28s %9.0f rows/s %8.1f us/row %8.1f us CPU/row"):format(name, rows * 1e6 / wall, wall / rows, cpu / rows))
end

-- At most `depth` units wait at a time.
local function pipelined(db, depth)
  local waiting = {}
  for i = 1, ROWS do
    local slot = i % depth
    if waiting[slot] then assert(waiting[slot]:await()) end
    waiting[slot] = db:submit(insert("run-" .. i % 997, i))
  end
  for _, unit in pairs(waiting) do assert(unit:await()) end
end

local function remove()
  for _, suffix in ipairs { "", "-wal", "-shm" } do os.remove(path .. suffix) end
end

remove()
local db = assert(sql.open("sqlite:" .. path))
assert(db:write {
  { "CREATE TABLE events (id INTEGER PRIMARY KEY, run TEXT, seq INTEGER, payload TEXT)" },
  { "CREATE UNIQUE INDEX events_run ON events (run, seq)" },
})
measure("one at a time", SINGLE, function()
  for i = 1, SINGLE do assert(db:write(insert("alone", i))) end
end)
for _, depth in ipairs { 10, 100, 1000 } do
  assert(db:execute "DELETE FROM events")
  measure(("%d waiting at a time"):format(depth), ROWS, function() pipelined(db, depth) end)
end
measure("read in one statement", ROWS, function()
  assert(#assert(db:query "SELECT run, seq, payload FROM events") == ROWS)
end)
db:close()
remove()
