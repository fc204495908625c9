--- What the specs of workflows share: a store, engines on it, and a door to runs that a spec holds in its hand.
local engines = require "curia.workflows.engine"
local migrate = require "curia.store.migrate"
local registries = require "curia.registry"
local rows = require "curia.workflows.rows"
local stores = require "curia.store"
local support = require "spec.store.support"

local M = {}

--- Opens a store in a folder of its own: `place.store`, `place.close()`.
function M.place()
  local folder = support.folder()
  local store = assert(stores.open(folder.url "test.db"))
  assert(migrate.up(store))
  return {
    store = store,
    close = function()
      engines.of(store):stop()
      store:close()
      folder.remove()
      for _, name in ipairs(registries.shared():list "workflow") do registries.shared():unregister("workflow", name) end
    end,
  }
end

--- A door whose runs are functions of the job. `world` outlives an engine as the store does: it knows which runs were
--- paid for and how each has ended.
function M.door(world, owner, answer)
  local door = { cancelled = {}, taken = {} }
  function door.owner() return owner end
  function door.is_alive(_, other) return world.alive[other] == true end
  function door.run(job)
    local outcome = world.ended[job.run_id]
    if outcome then return outcome end
    world.paid[job.run_id] = (world.paid[job.run_id] or 0) + 1
    outcome = answer(job)
    world.ended[job.run_id] = outcome
    return outcome
  end
  function door.look(_, _, run_id)
    if world.ended[run_id] then return "ended", world.ended[run_id] end
    return world.live and world.live[run_id] or "unknown"
  end
  function door.take_up(_, _, run_id)
    table.insert(door.taken, run_id)
    return true
  end
  function door.cancel(_, run_id) table.insert(door.cancelled, run_id) end
  return door
end

function M.world()
  return { paid = {}, ended = {}, alive = {} }
end

--- "instance step=status ...", in the order of the steps.
function M.statuses(store, key)
  local state = assert(rows.load(store, key))
  local text = { state.instance.status }
  for _, planned in ipairs(state.plan.steps) do
    text[#text + 1] = planned.name .. "=" .. state.steps[planned.name].status
  end
  return table.concat(text, " ")
end

return M
