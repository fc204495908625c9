--- What it costs to have many runs: to list them, to look at one, to watch them; and their memory.
-- All run on the scripted provider, in this process.
--
--     build/release/bin/curia lua bench/runs.lua
local clock = require "curia.core.clock"
local curia = require "curia"
local system = require "curia.core.system"
local task = require "curia.task"

local PARKED = 10000

local function script(answer)
  curia.config { providers = { bench = { adapter = "scripted", script = answer } } }
end

local function new_council(members)
  local body = { curia.round "independent_analysis" {} }
  for i = 1, members do body[#body + 1] = curia.member("m" .. i) { provider = "bench", model = "m" } end
  return curia.council "bench" (body)
end

-- The loop turns between two rows: nothing else may hold it for long.
local function row(what, value, unit)
  task.sleep(0)
  print(("%-62s %10s %s"):format(what, value >= 100 and ("%.0f"):format(value) or ("%.2f"):format(value), unit))
end

-- Calls `fn` for about 300 ms; calls per second.
local function rate(fn)
  local begun, count = clock.us(), 0
  repeat
    for _ = 1, 20 do fn() end
    count = count + 20
  until clock.us() - begun > 300000
  return count * 1e6 / (clock.us() - begun)
end

local function used_kb()
  collectgarbage()
  collectgarbage()
  return collectgarbage "count"
end

local function resident_kb()
  local file = assert(io.open "/proc/self/status")
  local kb = file:read "a":match "VmRSS:%s+(%d+)"
  file:close()
  return tonumber(kb)
end

-- ---- parked runs --------------------------------------------------------------------------------

local function park(council)
  local runs = {}
  for i = 1, PARKED do
    runs[i] = curia.start(council, "Why?", { group = i % 100 == 0 and "few" or nil })
  end
  task.sleep(0)
  task.sleep(50)
  return runs
end

local function look(runs)
  local id = runs[PARKED // 2].id
  row("curia.state(id)", rate(function() curia.state(id) end), "a second")
  row("curia.list { limit = 50 }", rate(function() curia.list { limit = 50 } end), "a second")
  row("curia.list { group =, limit = 50 }", rate(function() curia.list { group = "few", limit = 50 } end), "a second")
  row("curia.list { limit = 1 }", rate(function() curia.list { limit = 1 } end), "a second")
end

local function bench_parked()
  script { content = "slow", delay_ms = 3600000 }
  local council = new_council(3)
  curia.start(council, "Why?"):terminate()
  local lua_kb, all_kb = used_kb(), resident_kb()
  local runs = park(council)
  row("memory of a parked run of 3 members, Lua", (used_kb() - lua_kb) / PARKED, "KiB")
  row("memory of a parked run of 3 members, resident", (resident_kb() - all_kb) / PARKED, "KiB")
  look(runs)
  local begun = clock.us()
  for _, run in ipairs(runs) do run:terminate() end
  task.sleep(1)
  row("curia.terminate, of " .. PARKED, PARKED * 1e6 / (clock.us() - begun), "a second")
end

-- ---- delivery -----------------------------------------------------------------------------------

-- Runs a number of runs to their end. `watch`, if there is one, subscribes `note` to each of them, and gives what has
-- to be stopped at the end. Gives the microseconds of CPU and how often `note` was called.
local function drive(council, runs, watch)
  local seen, started, watching = 0, {}, nil
  local function note() seen = seen + 1 end
  collectgarbage()
  for i = 1, runs do
    started[i] = curia.start(council, "Why?")
    if watch then watching = watch(started[i], note, watching) end
  end
  local begun = system.cpu_us()
  for _, run in ipairs(started) do run:await() end
  task.sleep(0)
  local us = system.cpu_us() - begun
  if watching then watching:stop() end
  return us, seen
end

-- Per event that reaches a function, beyond the same runs when nobody watches; the best of five.
local function delivery(what, runs, watch)
  local council, bare_us, us, seen = new_council(3), math.huge, math.huge, nil
  for _ = 1, 5 do
    bare_us = math.min(bare_us, (drive(council, runs)))
    local watched_us, count = drive(council, runs, watch)
    us, seen = math.min(us, watched_us), count
  end
  row(("%s, %d events"):format(what, seen), (us - bare_us) / seen, "us an event")
end

local function bench_delivery()
  script { content = "yes", delay_ms = 1 }
  delivery("1,000 subscribers of one run", 1, function(run, note)
    for _ = 1, 1000 do run:subscribe(note) end
  end)
  delivery("a subscriber of each of 1,000 runs", 1000, function(run, note) run:subscribe(note) end)
  delivery("one subscriber of 1,000 runs, topic all", 1000, function(_, note, watching)
    return watching or curia.subscribe({ topic = "all" }, note)
  end)
end

bench_delivery()
bench_parked()
