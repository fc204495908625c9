--- Completion for fish: curia completion fish > ~/.config/fish/completions/curia.fish.
local M = {}

local function quoted(text)
  return "'" .. text:gsub("\\", "\\\\"):gsub("'", "\\'") .. "'"
end

local function option_line(command, option)
  local parts = { ("complete -c curia -n '__fish_seen_subcommand_from %s'"):format(command.name) }
  for _, flag in ipairs(option.flags) do
    parts[#parts + 1] = flag:find "^%-%-" and "-l " .. flag:sub(3) or "-s " .. flag:sub(2)
  end
  if option.words then parts[#parts + 1] = "-x -a " .. quoted(table.concat(option.words, " "))
  elseif option.takes == "file" then parts[#parts + 1] = "-r -F"
  elseif option.takes then parts[#parts + 1] = "-x" end
  parts[#parts + 1] = "-d " .. quoted(option.doc)
  return table.concat(parts, " ")
end

local LISTS = { council = "councils", topic = "topics" }

local function argument_line(command)
  local list = LISTS[command.argument]
  local line = ("complete -c curia -n '__fish_seen_subcommand_from %s'"):format(command.name)
  if list then line = ("%s -a '(curia completion --list %s 2>/dev/null)'"):format(line, list) end
  if list == "topics" or not command.argument then return line .. " -f" end
  return list and line
end

--- The script.
---@param commands curia.completion.Command[]
---@return string
function M.script(commands)
  local lines = {
    "# Completion of curia for fish: curia completion fish > ~/.config/fish/completions/curia.fish",
    "complete -c curia -n __fish_use_subcommand -f",
  }
  for _, command in ipairs(commands) do
    lines[#lines + 1] = ("complete -c curia -n __fish_use_subcommand -f -a %s -d %s"):format(command.name,
      quoted(command.about))
  end
  for _, command in ipairs(commands) do
    for _, option in ipairs(command.options) do lines[#lines + 1] = option_line(command, option) end
    lines[#lines + 1] = argument_line(command)
  end
  return table.concat(lines, "\n") .. "\n"
end

return M
