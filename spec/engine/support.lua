--- What the specs of the engine share: councils whose members answer from a script.
local clock = require "curia.core.clock"
local curia = require "curia"

local M = {}

--- What the members of these councils answer from now on: whatever `curia.script` takes.
function M.script(script)
  curia.config { providers = { test = { adapter = "scripted", script = script } } }
end

--- Answers by member: a text, an answer, or a list of answers given one after the other.
function M.answers(by_member)
  local rules = {}
  for member, answer in pairs(by_member) do rules[#rules + 1] = { match = { member = member }, answer = answer } end
  M.script { rules = rules, default = "nothing was scripted for this member" }
end

local function with_defaults(fields)
  local made = { provider = "test", model = "m" }
  for name, value in pairs(fields) do made[name] = value end
  if made.run or made.council then made.provider, made.model = nil, nil end
  return made
end

--- A council. `body.members` lists ids, or has fields by id behind `body.ids`; `body.chair` may be true.
function M.council(body)
  local made = {}
  for name, value in pairs(body) do made[name] = value end
  made.members, made.ids = {}, nil
  for i, id in ipairs(body.ids or { "a", "b", "c" }) do
    local fields = with_defaults(body.members and body.members[id] or {})
    fields.id = id
    made.members[i] = fields
  end
  if body.chair == true then made.chair = with_defaults {}
  elseif body.chair then made.chair = with_defaults(body.chair) end
  if not body.run and not body.rounds then made.rounds = { { type = "independent_analysis" } } end
  return curia.council(body.name or "spec")(made)
end

--- A council of one round and its result.
function M.ask(body, input, opts)
  return curia.run(M.council(body), input or "Why?", opts)
end

--- Starts a run, waits for its end and gives its events, tokens left out.
function M.events(council, input, opts)
  local run = assert(curia.start(council, input or "Why?", opts))
  local events = {}
  for event in run:events { tokens = false } do events[#events + 1] = event end
  return events, run
end

--- "type" or "type:member" of each event.
function M.names(events)
  local names = {}
  for i, event in ipairs(events) do names[i] = event.type .. (event.member and ":" .. event.member or "") end
  return names
end

--- Those of one type.
function M.of_type(events, kind)
  local found = {}
  for _, event in ipairs(events) do
    if event.type == kind then found[#found + 1] = event end
  end
  return found
end

--- Calls `fn` and gives its values after the milliseconds that it took by the runtime's clock.
function M.timed(fn, ...)
  local began = clock.ms()
  local values = table.pack(fn(...))
  return clock.ms() - began, table.unpack(values, 1, values.n)
end

--- Statuses by member of one round of a result.
function M.statuses(result, idx)
  local statuses = {}
  for id, member in pairs(result.rounds[idx or 1].results) do statuses[id] = member.status end
  return statuses
end

--- Collects what goes to the log while `fn` runs.
function M.logged(fn)
  local lines = {}
  curia.config { log = function(level, text) lines[#lines + 1] = level .. ": " .. text end }
  local ok, err = pcall(fn)
  curia.config { log = "warn" }
  if not ok then error(err, 0) end
  return lines
end

return M
