--- Curia beside the ceiling, against the mock: one row per scenario, medians of some rounds.
-- Started by bench/run, which builds first. The mock has the last CPU to itself, as else the scheduler
-- at times puts it beside the program that is measured. CPU per run is the steadiest figure.
local json = require "curia.json"
local task = require "curia.task"
local uv = require "luv"

local SCENARIOS = {
  { name = "base", about = "no latency, 2,000 runs, 100 at once", runs = 2000, concurrency = 100 },
  { name = "lat50", about = "50 ms latency, 2,000 runs, 1,000 at once", runs = 2000, concurrency = 1000, latency = 50 },
  { name = "stream", about = "streamed in one burst, nobody watches tokens", runs = 500, concurrency = 50, stream = 1 },
  { name = "watched", about = "streamed in one burst, a subscriber to tokens", runs = 500, concurrency = 50, stream = 1,
    subscribe = 1 },
  { name = "parked", about = "5,000 runs at once, 5 s latency: memory", runs = 5000, concurrency = 5000, latency = 5000,
    sample_ms = 4500 }, -- after the start; by then all calls of the first round wait
}

local folder = arg[1]
local cpus = #uv.cpu_info()

local function pinned(command, arguments, on_last)
  if cpus < 2 then return command, arguments end
  local set = on_last and tostring(cpus - 1) or ("0-%d"):format(cpus - 2)
  return "taskset", table.move(arguments, 1, #arguments, 4, { "-c", set, command })
end

-- ---- processes --------------------------------------------------------------------------------

-- Starts a program. `text` grows with its output; `changed` is notified then, and when it has ended.
local function spawn(program, arguments, on_last)
  local command, words = pinned(folder .. "/" .. program, arguments, on_last)
  local out, child = uv.new_pipe(), { text = "", changed = task.signal() }
  local problem
  child.handle, problem = uv.spawn(command, { args = words, stdio = { nil, out, 2 } }, function()
    child.handle:close()
    child.ended = true
    child.changed:notify()
  end)
  if not child.handle then error(("cannot start %s: %s"):format(program, problem)) end
  out:read_start(function(_, chunk)
    child.text = child.text .. (chunk or "")
    if not chunk then out:close() end
    child.closed = not chunk
    child.changed:notify()
  end)
  return child
end

-- Starts the mock and waits until it listens. Gives its address, and a value that ends it when closed.
local function start_mock(latency)
  local child = spawn("mock", { "--port", "0", "--latency-ms", tostring(latency or 0) }, true)
  while not child.text:find "\n" do
    if child.ended or not child.changed:wait(5000) then error "the mock does not start" end
  end
  local guard = setmetatable({}, { __close = function() child.handle:kill "sigterm" end })
  return "http://127.0.0.1:" .. child.text:match "ready (%d+)", guard
end

-- ---- one measurement --------------------------------------------------------------------------

local function resident_kb(pid)
  local file = io.open(("/proc/%d/status"):format(pid))
  local text = file and file:read "a" or ""
  if file then file:close() end
  return tonumber(text:match "VmRSS:%s+(%d+)") or 0
end

local function measure(peer, scenario, url, runs)
  local arguments = { "--url", url, "--runs", tostring(runs or scenario.runs),
    "--concurrency", tostring(scenario.concurrency), "--stream", tostring(scenario.stream or 0) }
  if peer == "council" then
    table.move({ "--subscribe", tostring(scenario.subscribe or 0) }, 1, 2, #arguments + 1, arguments)
  end
  local child = spawn(peer, arguments, false)
  local parked_kb
  if scenario.sample_ms then
    task.sleep(scenario.sample_ms)
    parked_kb = resident_kb(child.handle:get_pid())
  end
  while not (child.ended and child.closed) do child.changed:wait() end
  local result, err = json.decode(child.text)
  if not result then error(("%s gave no result: %s"):format(peer, tostring(err))) end
  if result.ok ~= result.runs then
    error(("%s: %d of %d runs failed"):format(peer, result.runs - result.ok, result.runs))
  end
  return {
    runs_per_s = result.runs_per_s, cpu_ms = result.cpu_s * 1000 / result.runs, p99_ms = result.p99_ms,
    rss_mb = result.max_rss_mb, parked_kb = parked_kb,
  }
end

local function median(rows, field)
  local values = {}
  for i, row in ipairs(rows) do values[i] = row[field] end
  table.sort(values)
  local middle = #values // 2
  return #values % 2 == 1 and values[middle + 1] or (values[middle] + values[middle + 1]) / 2
end

local function medians(rows)
  local found = {}
  for field in pairs(rows[1]) do found[field] = median(rows, field) end
  return found
end

-- Both peers in turn, in changing order, each round with a mock of its own.
local function compare(scenario, rounds)
  local rows = { ceiling = {}, council = {} }
  for round = 1, rounds do
    local url, mock = start_mock(scenario.latency)
    local guard <close> = mock
    local order = round % 2 == 1 and { "ceiling", "council" } or { "council", "ceiling" }
    for _, peer in ipairs(order) do
      local row = measure(peer, scenario, url)
      if scenario.sample_ms then
        row.run_kb = (row.parked_kb - measure(peer, scenario, url, 1).parked_kb) / scenario.runs
      end
      table.insert(rows[peer], row)
    end
  end
  return medians(rows.ceiling), medians(rows.council)
end

-- ---- the table --------------------------------------------------------------------------------

local COLUMNS = "%-8s | %8s %8s %6s | %8s %8s %6s | %8s %8s %6s | %7s %7s\n"

local function number(value)
  return (value >= 100 and "%.0f" or value >= 10 and "%.1f" or "%.3f"):format(value)
end

local function pair(ceiling, council, field)
  return number(ceiling[field]), number(council[field]), ("%.2f"):format(council[field] / ceiling[field])
end

local function print_row(scenario, ceiling, council)
  local r1, r2, r3 = pair(ceiling, council, "runs_per_s")
  local c1, c2, c3 = pair(ceiling, council, "cpu_ms")
  local p1, p2, p3 = pair(ceiling, council, "p99_ms")
  io.write(COLUMNS:format(scenario.name, r1, r2, r3, c1, c2, c3, p1, p2, p3,
    number(ceiling.rss_mb), number(council.rss_mb)))
  if council.run_kb then
    io.write(("%8s | memory of a parked run: ceiling %.1f KiB, curia %.1f KiB\n"):format(
      "", ceiling.run_kb, council.run_kb))
  end
  io.flush()
end

local function options(args)
  local rounds, wanted = 5, {}
  local i = 2
  while args[i] do
    if args[i] == "--rounds" then
      i = i + 1
      rounds = math.tointeger(tonumber(args[i])) or error "--rounds takes a number"
    else
      wanted[#wanted + 1] = args[i]
    end
    i = i + 1
  end
  return rounds, wanted
end

local function chosen(names)
  if #names == 0 then return SCENARIOS end
  local by_name, found = {}, {}
  for _, scenario in ipairs(SCENARIOS) do by_name[scenario.name] = scenario end
  for i, name in ipairs(names) do found[i] = by_name[name] or error("there is no scenario " .. name) end
  return found
end

local rounds, names = options(arg)
io.write(("Curia and the ceiling, medians of %d; ratio = curia / ceiling\n\n"):format(rounds))
io.write(COLUMNS:format("", "runs/s", "curia", "ratio", "CPU ms", "curia", "ratio", "p99 ms", "curia", "ratio",
  "RSS MB", "curia"))
for _, scenario in ipairs(chosen(names)) do
  print_row(scenario, compare(scenario, rounds))
end
