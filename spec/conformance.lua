--- The conformance runner: `curia lua spec/conformance.lua [--dump] [--quick] FILES.jsonl`.
--
-- Reads recorded exchanges (shared/conformance/README.md), feeds each through the adapter that its api
-- names, whole and cut at every byte, and compares the outcomes. `--dump` prints one JSON object a
-- line: {id, outcome = "response", content, reasoning, tool_calls = [{id, name, arguments}],
-- finish_reason, usage} or {id, outcome = "error", error = {kind, message, status, retry_after_ms}}.
-- Content is "" for answers of tool calls only; calls to which the vendor gave no id have none; a
-- call's arguments are its raw text where that is no JSON object. `--quick` leaves the cuts out.
-- The exit code is 0 if all outcomes are equal.
local json = require "curia.json"

local here = arg[0]:match("^(.*)/[^/]*$") or "."
local run = dofile(here .. "/conformance/run.lua")

local dump, quick, files = false, false, {}
for _, word in ipairs(arg) do
  if word == "--dump" then
    dump = true
  elseif word == "--quick" then
    quick = true
  else
    files[#files + 1] = word
  end
end

local function read(exchange)
  if not quick then return run.check(exchange) end
  local case = run.case(exchange)
  if not case then return nil end
  return run.record(exchange.id, run.outcome(case)), {}
end

math.randomseed(26)
local checked, skipped, failed = 0, 0, 0
for _, path in ipairs(files) do
  for exchange in run.exchanges(path) do
    local ok, record, faults = xpcall(read, debug.traceback, exchange)
    if not ok then
      record, faults = true, { record }
    end
    if not record then
      skipped = skipped + 1
    else
      checked = checked + 1
      if dump and record ~= true then print(assert(json.encode(record))) end
      if faults[1] then
        failed = failed + 1
        io.stderr:write(exchange.id, ": ", table.concat(faults, "; "), "\n")
      end
    end
  end
end
io.stderr:write(("%d exchanges read, %d of another protocol skipped, %d with faults\n"):format(checked, skipped,
  failed))
return failed == 0 and checked > 0 and 0 or 1
