--- Completion for zsh: curia completion zsh > a file _curia in a folder of fpath.
local M = {}

local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function described(text)
  return (text:gsub("[%[%]:]", "\\%0"))
end

local function value_part(option)
  if option.words then return ":value:(" .. table.concat(option.words, " ") .. ")" end
  if option.takes == "file" then return ":file:_files" end
  return option.takes and ":value:" or ""
end

local function option_lines(command)
  local lines = {}
  for _, option in ipairs(command.options) do
    for _, flag in ipairs(option.flags) do
      lines[#lines + 1] = "        " .. quoted(("%s[%s]%s"):format(flag, described(option.doc), value_part(option)))
    end
  end
  return lines
end

local ARGUMENTS = {
  council = "'*:council:_curia_councils'", topic = "'*:topic:_curia_topics'", file = "'*:file:_files'",
  folder = "'*:folder:_files -/'",
}

local function case_of(command)
  local lines = option_lines(command)
  lines[#lines + 1] = "        " .. (ARGUMENTS[command.argument] or "'*: :'")
  return ("    %s)\n      _arguments -S \\\n%s ;;"):format(command.name, table.concat(lines, " \\\n"))
end

--- The script.
---@param commands curia.completion.Command[]
---@return string
function M.script(commands)
  local names, cases = {}, {}
  for i, command in ipairs(commands) do
    names[i] = "    " .. quoted(command.name .. ":" .. command.about)
    cases[i] = case_of(command)
  end
  return ([[
#compdef curia
# Completion of curia for zsh: curia completion zsh > _curia, in a folder of $fpath.
_curia_councils() {
  local -a names
  names=(${(f)"$(curia completion --list councils 2>/dev/null)"})
  _alternative 'councils:council:($names)' 'files:file:_files'
}
_curia_topics() {
  local -a names
  names=(${(f)"$(curia completion --list topics 2>/dev/null)"})
  _describe topic names
}
_curia() {
  local -a commands
  commands=(
@NAMES
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
@CASES
  esac
}
if [ "$funcstack[1]" = _curia ]; then _curia "$@"; else compdef _curia curia; fi
]]):gsub("@(%u+)", { NAMES = table.concat(names, "\n"), CASES = table.concat(cases, "\n") })
end

return M
