--- What can be completed: commands, their options, and what stands for an argument. From the table of commands.
local commands = require "curia.cli.commands"

local M = {}

-- What follows a command: files, councils, topics, folders.
local ARGUMENTS = {
  run = "council", check = "council", diagram = "council", estimate = "council", doctor = "council",
  lua = "file", workflow = "file", repl = "file", mock = "file", test = "file", trust = "folder", help = "topic",
}

---@class curia.completion.Option
---@field flags string[] "--input", "-i"
---@field doc string
---@field takes? "file"|"value" nil: a switch
---@field words? string[] what its value may be

---@class curia.completion.Command
---@field name string
---@field about string
---@field argument? "council"|"file"|"folder"|"topic"
---@field options curia.completion.Option[]

local function fixed_words(value)
  if not value or value:find "[%u]" then return nil end
  local words = {}
  for word in value:gmatch "[^|]+" do words[#words + 1] = word end
  return words
end

local function option_of(option)
  local flags, value = { "--" .. option[1] }, option.value
  if option.short then flags[2] = "-" .. option.short end
  local takes = value and (value:find "FILE" and "file" or "value") or nil
  return { flags = flags, doc = option.doc, takes = not option.optional and takes or nil, words = fixed_words(value) }
end

local HELP = { flags = { "--help", "-h" }, doc = "show its help" }

--- The commands, in the order of the help.
---@return curia.completion.Command[]
function M.commands()
  local list = {}
  for i, command in ipairs(commands.list) do
    local options = {}
    for j, option in ipairs(command.options) do options[j] = option_of(option) end
    options[#options + 1] = HELP
    list[i] = { name = command.name, about = command.about, argument = ARGUMENTS[command.name], options = options }
  end
  return list
end

return M
