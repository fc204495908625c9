--- The long kill campaigns, by hand: `curia lua spec/kill/main.lua KILLS [SEED [rivals]]`, one process at a time, or three
--- on one store. Ends with 1 when anything was repeated, lost, delivered twice or different.
package.path = "./?.lua;" .. package.path
local driver = require(arg[3] == "rivals" and "spec.kill.rivals" or "spec.kill.driver")

local function line_of(found)
  return ("%d kills, %d runs: finished calls repeated %d, runs lost %d, delivered twice %d, results that differ %d"):format(
    found.kills, found.runs, found.repeated, found.lost, found.duplicates, found.different)
end

local shown

local function tell(found)
  io.stderr:write("\r", line_of(found))
  if shown or not (found.again or found.example or found.astray) then return end
  shown = true
  if found.astray then print("the first that went astray: " .. found.astray) end
  if found.again then print("the first that was repeated: " .. found.again) end
  if found.example then
    print(("the first that differs: %s\n%s\n%s"):format(found.example.run_id, found.example.expected, found.example.got))
  end
  io.stdout:flush()
end

local found = driver.campaign(tonumber(arg[1] or 100), tonumber(arg[2] or 1), tell)
io.stderr:write "\n"
print(line_of(found))
if found.repeated + found.lost + found.duplicates + found.different > 0 then os.exit(1) end
