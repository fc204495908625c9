--- Prints the table of telemetry events that docs/operations.md holds: curia lua docs/operations.lua
local names = require "curia.telemetry.names"

local function quoted(words)
  local parts = {}
  for i, word in ipairs(words) do parts[i] = "`" .. word .. "`" end
  return table.concat(parts, ", ")
end

local sorted = {}
for name in pairs(names.all) do sorted[#sorted + 1] = name end
table.sort(sorted)

print "| Event | When | Measurements | Metadata |\n|---|---|---|---|"
for _, name in ipairs(sorted) do
  local about = names.all[name]
  print(("| `%s` | %s | %s | %s |"):format(name, about.about, quoted(about.measurements), quoted(about.metadata)))
end
