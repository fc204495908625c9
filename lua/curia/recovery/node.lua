local system = require "curia.core.system"
local M = {}
local here = { incarnation = system.uuid7(), node_id = "here" }
function M.current() return here end
return M
