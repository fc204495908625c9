-- Prints docs/topologies.md: every topology with its rounds, as a diagram.
--
--     curia lua docs/topologies.lua > docs/topologies.md
local curia = require "curia"
local topologies = require "curia.topologies"

local function seats(...)
  local body = { profile = "fast" }
  for i, id in ipairs { ... } do body[i] = curia.member(id) {} end
  return body
end

local function with(body, more)
  for name, value in pairs(more) do body[name] = value end
  return body
end

local function three() return seats("a", "b", "c") end

local function chaired() return with(three(), { chair = {} }) end

-- The least that each takes, where that is not three members and a chair.
local BODIES = {
  red_team = function() return with(seats("author", "attacker"), { red = { "attacker" }, chair = {} }) end,
  self_consistency = function() return seats "solver" end,
  best_of = function() return seats "writer" end,
}

local function section(name)
  local council = topologies[name]((BODIES[name] or chaired)())
  return table.concat({
    "## " .. name, "", council:spec().about, "", "```mermaid", (council:diagram "mermaid":gsub("%s+$", "")), "```", "",
  }, "\n")
end

local HEAD = [[
# Topologies

Known flows as councils: `topology "name" { ... }`. Their options are in [language.md](language.md)
(`curia help topology`); a council of each stands in [`councils/`](../councils). This page is written by
`docs/topologies.lua`.
]]

local sections = {}
for i, name in ipairs(topologies.names) do sections[i] = section(name) end
io.write(HEAD, "\n", table.concat(sections, "\n"))
