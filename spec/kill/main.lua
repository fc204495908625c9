--- The long kill campaign, by hand: `curia lua spec/kill/main.lua 10000`. Ends with 1 when anything was repeated, lost,
--- delivered twice or different.
package.path = "./?.lua;" .. package.path
local driver = require "spec.kill.driver"

local function line_of(found)
  return ("%d kills, %d runs: finished calls repeated %d, runs lost %d, delivered twice %d, results that differ %d"):format(
    found.kills, found.runs, found.repeated, found.lost, found.duplicates, found.different)
end

local found = driver.campaign(tonumber(arg[1] or 100), tonumber(arg[2] or 1), function(so_far)
  io.stderr:write("\r", line_of(so_far))
end)
io.stderr:write "\n"
print(line_of(found))
if found.again then print("the first that was repeated: " .. found.again) end
if found.example then
  print(("the first: %s\n%s\n%s"):format(found.example.run_id, found.example.expected, found.example.got))
end
if found.repeated + found.lost + found.duplicates + found.different > 0 then os.exit(1) end
