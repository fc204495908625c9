-- What one request costs the HTTP client and its tasks, in microseconds of CPU.
--
--     taskset -c 0 build/release/bin/curia lua bench/http.lua URL [REQUESTS]
--
-- URL is that of a chat completion on a fast server (the mock of the peers), on another core.
local http = require "curia.http"
local task = require "curia.task"

local url, requests = ...
requests = math.tointeger(tonumber(requests or 20000))

local request = {
  url = assert(url, "usage: bench/http.lua URL [REQUESTS]"),
  headers = { ["content-type"] = "application/json", authorization = "Bearer mock-key" },
  body = ('{"model":"mock-1","messages":[{"role":"user","content":"%s"}]}'):format(("x"):rep(1000)),
  first_byte_timeout_ms = 60000,
  silence_timeout_ms = 30000,
  total_timeout_ms = 1200000,
}

local function work(left)
  while left.count > 0 do
    left.count = left.count - 1
    local exchange = assert(http.start(request))
    local _, _, err = exchange:next()
    assert(not err and exchange.status == 200 and #exchange.body > 0, err)
  end
end

local function measure(concurrency)
  local group, left, start = task.group(), { count = requests }, os.clock()
  for _ = 1, concurrency do group:spawn(work, left) end
  for t in group:each() do assert(t:result()) end
  local cpu = (os.clock() - start) / requests * 1e6
  print(("%5d at once: %6.2f us of CPU per request"):format(concurrency, cpu))
end

for _, concurrency in ipairs { 1, 100, 300, 1000, 3000 } do measure(concurrency) end
