--- Workflows from files.
local council = require "curia.council"
local definitions = require "curia.workflows.definition"
local errors = require "curia.errors"
local loader = require "curia.language.loader"
local registries = require "curia.registry"
local suggest = require "curia.suggest"

local M = {}

local function refused(path, message)
  return nil, errors.new("script", ("%s %s"):format(path, message))
end

local function names_of(found)
  local names = {}
  for i, made in ipairs(found) do names[i] = made.name end
  return names
end

local function choose(path, name, found, returned)
  if not name and definitions.is(returned) then return returned end
  for _, made in ipairs(found) do
    if made.name == name then return made end
  end
  local names = names_of(found)
  if name then return refused(path, ("declares no workflow '%s'%s"):format(name, suggest.hint(name, names))) end
  if #found == 1 then return found[1] end
  if #found == 0 then return refused(path, "declares no workflow") end
  return refused(path, ("declares several workflows (%s): choose with %s#name"):format(table.concat(names, ", "), path))
end

--- Runs a file and gives the workflow that it returns, else the only one that it declares, else the one named by
--- "FILE#name". The councils of the file are registered: its steps may name them.
---@param path string
---@return curia.Workflow?
---@return curia.Error? err kind `script`; code `not_found` when there is no such file
function M.load(path)
  local file, name = loader.split(path)
  local declared, returned = loader.evaluate(file)
  if not declared then return nil, returned end
  local found = {}
  for _, made in ipairs(declared) do
    if definitions.is(made) then found[#found + 1] = made end
    if council.is(made) then registries.shared():register("council", made.name, made) end
  end
  return choose(file, name, found, returned)
end

return M
