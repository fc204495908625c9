--- The configuration of the program: the user's file, the project's if it is trusted, then the command line.
local config = require "curia.config"
local folders = require "curia.folders"
local json = require "curia.json"
local trust = require "curia.cli.trust"
local uv = require "luv"
local variables = require "curia.language.variables"
local width = require "curia.view.width"

local M = {}

local function say(text)
  io.stderr:write("curia: ", width.clean(text), "\n")
end

-- The command that is told is there to be pasted into a shell, and folders are named by strangers.
local function quoted(path)
  return path:find "[^%w%-_./]" and "'" .. path:gsub("'", "'\\''") .. "'" or path
end

local function tell_slips()
  for _, variable in ipairs(variables.set(uv.os_environ())) do
    if variable.is_slip then say(("%s %s"):format(variable.name, variable.about)) end
  end
end

--- Loads the files. One that is not trusted is named, and not read; so is a variable that is almost one of Curia's.
---@return true?
---@return curia.Error? err of a file or a CURIA_* variable that is wrong
function M.load_files()
  local shared, wrong = config.open()
  if not shared then return nil, wrong end
  tell_slips()
  local report, err = shared:load_files { project = folders.find_up(config.FILE), trust = trust.is_trusted }
  if not report then return nil, err end
  for _, path in ipairs(report.untrusted) do
    say(("%s is not trusted and was not read; look at it, then: curia trust %s"):format(path,
      quoted(path:match "^(.*)/[^/]*$" or ".")))
  end
  return true
end

-- A value is JSON where it can be, else a text.
local function value_of(text)
  local value = json.decode(text)
  if value == nil then return text end
  return value
end

--- Sets what `--config KEY=VALUE` says.
---@param given? string[][] pairs of key and value
---@return true?
---@return curia.Error?
function M.set(given)
  if not given then return true end
  local values = {}
  for _, pair in ipairs(given) do values[pair[1]] = value_of(pair[2]) end
  return config.shared():set("command_line", values, "command line")
end

return M
