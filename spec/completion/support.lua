local assert = require "luassert"

--- What the specs of each shell's completion ask of its script; the shells themselves judge it in
--- spec/cli/completion_spec.lua.
local M = {}

local COMMANDS = { {
  name = "try", about = "one's own", argument = "council",
  options = { { flags = { "--how", "-w" }, doc = "it's [so]", words = { "a", "b" } } },
} }

--- The script names commands and flags, and has no place left to be filled.
---@param shell {script: fun(commands: table): string}
function M.names_everything(shell)
  local script = shell.script(COMMANDS)
  assert.truthy(script:find("try", 1, true))
  assert.truthy(script:find("how", 1, true))
  assert.is_nil(script:find "@%u")
end

return M
