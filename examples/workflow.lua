-- A workflow of three steps: a council judges a change, somebody signs, a function tells.
--
--     curia lua examples/workflow.lua "Ship on Friday?" [STORE]
--
-- With a STORE (sqlite:notes.db) it is kept; without one it is gone with the program.
local curia = require "curia"
local stores = require "curia.store.shared"
local workflows = curia.workflows

local panel = council "panel" {
  member "optimist" { system = "You see what could go right." },
  member "skeptic" { system = "You see what could go wrong." },
  profile = "fast",
  round "independent_analysis" {},
  chair {},
}

assert(workflows.register(workflow "release" {
  step "judge" { council = panel, input = { question = "trigger.change" }, on_failure = "retry" },
  step "sign" { approval = true, after = "judge" },
  step "tell" { after = "sign", input = { text = "prior.judge.content", note = "prior.sign.note" },
    run = function(ctx, input) return ("%s (%s, %s)"):format(input.text, input.note, ctx.step) end },
}))

local store = assert(stores.of(arg[2] or "sqlite::memory:"))
local watcher = curia.subscribe({ topic = "workflows" }, function(event)
  print(event.type, event.step or event.workflow)
end)

local begun = assert(workflows.start("release", { change = arg[1] or "Ship?" }, {
  store = store, options = { offline = true }, -- invented answers: no key is needed
}))
assert(workflows.await(begun.id, { store = store }))
assert(workflows.approve(begun.id, "sign", true, "fine", { store = store }))
local done = assert(workflows.await(begun.id, { store = store }))
watcher:stop()
print(done.status, (done.result.tell:gsub("\n.*", "")))
stores.close()
