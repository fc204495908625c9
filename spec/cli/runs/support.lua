--- What the specs of `curia runs` share: a store with runs of the program in it.
local program = require "spec.cli.program"
local stores = require "spec.store.support"

local M = {}

local COUNCIL = [[
require("curia").config { providers = { here = { adapter = "scripted", model = "s-1", script = {
  rules = { { match = { member = "broken" }, answer = { error = { status = 401, message = "who are you?" } } } },
  default = { content = "an answer", cost = 0.25 } } } } }
council "mixed" { member "a" { provider = "here" }, member "broken" { provider = "here" },
  round "independent_analysis" {}, chair { provider = "here" } }]]

--- A folder with a council file and a store; `run(args)` runs the program on it.
function M.open()
  local folder = stores.folder()
  local file = assert(io.open(folder.path "mixed.lua", "w"))
  file:write(COUNCIL)
  file:close()
  folder.council = folder.path "mixed.lua"
  function folder.run(...)
    return program.run({ ... }, { env = { CURIA_STORE = folder.url "runs.db", CURIA_RECORDER = "true" } })
  end
  return folder
end

return M
