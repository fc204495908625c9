--- `curia completion SHELL`: prints what a shell needs to complete commands, options, councils and topics.
local suggest = require "curia.suggest"
local usage = require "curia.cli.usage"
local words = require "curia.completion.words"

local M = {}

local SHELLS = { bash = true, zsh = true, fish = true }

local lists = {}

function lists.councils()
  local names = {}
  for i, entry in ipairs(require "curia.cli.library".list()) do names[i] = entry.name end
  return names
end

function lists.topics()
  local commands, names = require "curia.cli.commands", {}
  for name in pairs(commands.by_name) do names[#names + 1] = name end
  for name in pairs(commands.topics) do names[#names + 1] = name end
  for _, name in ipairs(require "curia.cli.manual".names()) do
    if name:find "^[%w_%-]+$" then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

local function print_list(name)
  if not lists[name] then return usage.misused(suggest.message("list", name, lists), "completion") end
  print(table.concat(lists[name](), "\n"))
  return 0
end

--- `curia completion bash|zsh|fish`, and `--list NAME`, by which the scripts ask.
---@param values {list?: string}
---@param rest string[]
---@return integer exit code
function M.main(values, rest)
  if values.list then return print_list(values.list) end
  local shell = rest[1]
  if not shell then return usage.misused("the shell is missing: bash, zsh or fish", "completion") end
  if not SHELLS[shell] then return usage.misused(suggest.message("shell", shell, SHELLS), "completion") end
  io.write((require("curia.completion." .. shell).script(words.commands())))
  return 0
end

return M
