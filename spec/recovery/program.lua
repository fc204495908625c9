--- The program on a store in which killed processes have left runs.
local S = require "spec.durable.support"
local program = require "spec.cli.program"
local shared = require "curia.store.shared"

local M = {}

--- A place; `place.run(...)` runs the program there: its exit code, what it prints, what it complains.
function M.place()
  local place = S.place()
  function place.run(...)
    shared.close()
    return program.run({ ... }, { env = { CURIA_STORE = place.url } })
  end
  return place
end

return M
