--- Curia in a stock Lua: any program that embeds Lua 5.4, or the interpreter itself.
--
--     lua5.4 examples/plain.lua "Should we ship on Friday?" [--real]
--
-- Where the interpreter finds curia.so: `cmake --install` puts it into its folder of C modules; from a build,
-- LUA_CPATH="build/release/lua/?.so;;" says it.
local curia = require "curia"

local question, real = arg[1] or "Should we ship on Friday?", arg[2] == "--real"

local advisor = curia.council "advisor" {
  profile = "fast",
  curia.member "optimist" { system = "You see what could go right.", stream = true },
  curia.member "skeptic" { system = "You see what could go wrong.", stream = true },
  curia.round "independent_analysis" {},
  curia.round "anonymized_peer_review" {},
  curia.chair {},
}

-- A run goes on while the loop turns: here one step at a time, as a program with a loop of its own would.
local run = assert(curia.start(advisor, question, { offline = not real }))
run:subscribe(function(event)
  if event.type ~= "member_completed" then return end
  print(("%-24s %-10s %s"):format(event.round, event.member, event.result.status))
end)

local steps = 0
while curia.step() do steps = steps + 1 end

local result, err = run:result()
if not result then error(tostring(err)) end
print(("\n%s\n\n%s after %d steps; %s"):format(result.final and result.final.content or "no answer", result.status,
  steps, result.metadata.offline and "invented answers, nobody was asked" or "real answers"))
os.exit(result.status == "ok" and 0 or 1, true)
