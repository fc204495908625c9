--- One row for each member's answer, in a table of your own: who was asked, what it took, what it cost.
--
--     curia lua examples/usage_table.lua [usage.csv] [--real]
--
-- Telemetry handlers are called in the middle of a run and must not wait: this one appends a line to a file. A
-- handler that writes to a database puts the row into a queue, which a task of its own empties.
local curia = require "curia"

local COLUMNS = { "at", "run_id", "council", "member_id", "round", "model", "status", "attempts", "input_tokens",
  "output_tokens", "usd", "ms" }

local path, real = arg[1] or "usage.csv", arg[2] == "--real"

local function quoted(value)
  local text = value == nil and "" or tostring(value)
  return text:find '[",\n]' and '"' .. text:gsub('"', '""') .. '"' or text
end

local function append(file, values)
  local cells = {}
  for i, name in ipairs(COLUMNS) do cells[i] = quoted(values[name]) end
  file:write(table.concat(cells, ","), "\n")
end

local function row_of(measurements, metadata)
  local row = { at = os.date "!%Y-%m-%dT%H:%M:%SZ", ms = measurements.duration_us // 1000 }
  for _, name in ipairs(COLUMNS) do row[name] = row[name] or metadata[name] or measurements[name] end
  row.usd = metadata.cost and metadata.cost.usd
  return row
end

local file = assert(io.open(path, "a"))
if file:seek "end" == 0 then file:write(table.concat(COLUMNS, ","), "\n") end

local handle = curia.telemetry.attach("member.stop", function(_, measurements, metadata)
  append(file, row_of(measurements, metadata))
end)

local advisor = council "advisor" {
  profile = "fast",
  member "optimist" { system = "You see what could go right." },
  member "skeptic" { system = "You see what could go wrong." },
  round "independent_analysis" {},
  chair {},
}

local result = curia.run(advisor, "Ship on Friday?", { offline = not real })
handle:detach()
file:close()
print(("%s; the rows are in %s"):format(result.status, path))
