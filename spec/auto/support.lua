--- What the specs of `auto` share: councils that answer with their own name.
local curia = require "curia"
local helper = require "spec.helper"

local M = {}

--- A council without models whose answer is its name.
function M.named(name, about)
  return curia.council(name) {
    about = about, members = { { id = "m", run = function() return name end } }, rounds = { "independent_analysis" },
  }
end

--- Runs an `auto` and gives its result.
function M.run(body, input, name)
  return helper.virtual(function() return curia.run(curia.auto(name or "pick")(body), input or "Why?") end)
end

--- What was chosen: {answer, catalog id, strategy}.
function M.choice(result)
  local auto = result.metadata.auto or {}
  return { result.final and result.final.content, auto.catalog_id, auto.strategy }
end

return M
