-- A script that makes a council, asks it, and looks at what happens while it does.
--
--     curia lua examples/first.lua "Should we ship on Friday?"
--
-- The words of the language are in scope. The script is a task of its own: what waits, such as
-- `run:events()` and `run:await()`, lets everything else go on.

local curia = require "curia"

local advisor = council "advisor" {
  profile = "fast",
  member "optimist" { system = "You see what could go right." },
  member "skeptic"  { system = "You see what could go wrong." },
  round "independent_analysis" {},
  chair {},
}

-- Nothing is asked before the council is known to be right.
local valid, faults = curia.validate(advisor)
for _, fault in ipairs(faults or {}) do print(fault.path, fault.code, fault.message) end
if not valid then return 1 end

-- `start` returns at once. `offline` answers from a script, so that this page needs no key; take it out to ask
-- real models.
local run = assert(curia.start(advisor, ... or "Should we ship on Friday?", { offline = true }))

for event in run:events() do
  if event.type == "member_completed" then
    print(("%-10s %s"):format(event.member, event.result.status))
  end
end

-- Every run that has ended has a result, also one that failed; `err` says why there is no answer.
local result, err = run:await()
if err then error(err, 0) end
print()
print(result.final.content)
print(("offline: %s, %d rounds, %.0f ms"):format(result.metadata.offline, #result.rounds, result.duration_ms))
