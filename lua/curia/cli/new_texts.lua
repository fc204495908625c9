--- The texts of `curia new`.
local M = {}

local COUNCIL = [[
-- A council: who is asked, in which rounds, and who writes the final answer.
-- Words of the language: curia help language. Is it right: curia check @NAME.lua
council "@NAME" {
  about   = "Two advisers answer apart and review each other blind; a chair decides.",
  profile = "fast", -- which models answer: fast, balanced, deep, or model = "provider/model"

  member "optimist" { system = "You see what could go right. Be brief and concrete.", stream = true },
  member "skeptic"  { system = "You see what could go wrong. Be brief and concrete.", stream = true },

  round "independent_analysis" {},
  round "anonymized_peer_review" {},

  chair { system = "Weigh what was said and give one clear recommendation.", stream = true },
}
]]

local CONFIG = [[
-- The configuration of this folder; it is read after `curia trust`. Keys: curia help config.
return {
  default_profile = "fast",
}
]]

local SPEC = [[
-- curia test spec/@NAME_spec.lua
local curia = require "curia"

describe("@NAME", function()
  local council

  setup(function() council = assert(curia.load "@NAME.lua") end)

  it("is valid", function()
    assert.is_true(curia.validate(council))
  end)

  it("comes to an answer, without asking anybody", function()
    local result, err = curia.run(council, "Should we ship on Friday?", { offline = true, seed = 1 })
    assert.is_nil(err)
    assert.equal("ok", result.status)
    assert.is_string(result.final.content)
  end)
end)
]]

local STEPS = [[
wrote @FILE

  curia check @FILE                 is it right?
  curia run @FILE "Ship?" --offline  with invented answers
  curia run @FILE "Ship?"            with a key in the environment: curia help keys]]

local PROJECT = [[
wrote @NAME/

  cd @NAME
  curia test                        the council comes to an answer, without asking anybody
  curia trust                       lets curia.config.lua be read
  curia run @NAME.lua "Ship?"       asks it]]

local function fill(text, values)
  return (text:gsub("@(%u+)", values))
end

--- The source of a council.
---@param name string
---@return string
function M.council(name)
  return fill(COUNCIL, { NAME = name })
end

--- A configuration.
---@return string
function M.config()
  return CONFIG
end

--- A spec of a council.
---@param name string
---@return string
function M.spec(name)
  return fill(SPEC, { NAME = name })
end

--- What to do next with a council.
---@param file string
---@return string
function M.next_steps(file)
  return fill(STEPS, { FILE = file })
end

--- What to do next with a project.
---@param name string
---@return string
function M.project_steps(name)
  return fill(PROJECT, { NAME = name })
end

return M
