--- A council that has one of everything, and its graph.
local dsl = require "curia.language.dsl"
local language = dofile "spec/language/support.lua"

local M = {}

--- A configuration as for the specs of the language, with a round that repeats another one.
function M.config()
  local config = language.config()
  config.registry:register("round", "again", { run = print, options = {
    round = { type = "string|table", round = true }, max_iterations = { type = "integer" },
  } })
  return config
end

--- Two members, a sub-council, a chair; a router, tools, a round in a round.
function M.council()
  local inner = dsl.council "experts" {
    dsl.member "x" { model = "two/m" }, dsl.round "think" {}, dsl.chair { run = print },
  }
  return dsl.council "advisor" {
    profile = "plain", tools = { "search" },
    dsl.member "a" { model = "one/large", tools = { "calc", "search" } },
    dsl.member "b" { role = "sceptic" },
    dsl.member "c" { council = inner },
    dsl.round "think" {},
    dsl.round "review" { name = "second look", members = { "a", "b" }, rule = "borda", router = print },
    dsl.round "again" { round = dsl.round "think" { members = { "b" } }, max_iterations = 4 },
    dsl.chair { profile = "plain" },
  }
end

return M
