--- Completion for bash: source <(curia completion bash).
local M = {}

local function flags_of(command)
  local flags = {}
  for _, option in ipairs(command.options) do
    for _, flag in ipairs(option.flags) do flags[#flags + 1] = flag end
  end
  return table.concat(flags, " ")
end

-- What completes the value of an option; nil: it has none.
local function value_action(option)
  if option.words then
    return ("_curia_reply -W '%s' -- \"$word\"; "):format(table.concat(option.words, " "))
  end
  if option.takes == "file" then return '_curia_reply -f -- "$word"; ' end
  return option.takes and "" or nil
end

local function value_lines(command)
  local lines = {}
  for _, option in ipairs(command.options) do
    local action, patterns = value_action(option), {}
    for i, flag in ipairs(option.flags) do patterns[i] = command.name .. ":" .. flag end
    if action then lines[#lines + 1] = ("    %s) %sreturn ;;"):format(table.concat(patterns, "|"), action) end
  end
  return lines
end

local WORDS = {
  council = '$(curia completion --list councils 2>/dev/null)', topic = '$(curia completion --list topics 2>/dev/null)',
}

local FILES = { folder = " -d", file = " -f", council = " -f" }

local function command_line(command)
  local words = flags_of(command) .. (WORDS[command.argument] and " " .. WORDS[command.argument] or "")
  local files = FILES[command.argument] or ""
  return ('    %s) _curia_reply%s -W "%s" -- "$word" ;;'):format(command.name, files, words)
end

--- The script.
---@param commands curia.completion.Command[]
---@return string
function M.script(commands)
  local names, values, cases = {}, {}, {}
  for i, command in ipairs(commands) do
    names[i], cases[i] = command.name, command_line(command)
    for _, line in ipairs(value_lines(command)) do values[#values + 1] = line end
  end
  return ([[
# Completion of curia for bash: source <(curia completion bash)
_curia_reply() { # a line is a word: names of files hold blanks
  local line
  while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen "$@")
}
_curia() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}
  COMPREPLY=()
  if [ "$COMP_CWORD" = 1 ]; then
    _curia_reply -W "@NAMES" -- "$word"
    return
  fi
  case "$command:$before" in
@VALUES
  esac
  case "$command" in
@CASES
  esac
}
complete -o filenames -F _curia curia
]]):gsub("@(%u+)", { NAMES = table.concat(names, " "), VALUES = table.concat(values, "\n"),
    CASES = table.concat(cases, "\n") })
end

return M
