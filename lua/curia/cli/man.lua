--- The man page, from the texts that `--help` shows.
local commands = require "curia.cli.commands"
local system = require "curia.core.system"

local M = {}

-- What stands at the beginning of a line, and backslashes, mean something to roff.
local function escaped(text)
  return (text:gsub("\\", "\\e"):gsub("%-", "\\-"):gsub("^([.'])", "\\&%1"):gsub("\n([.'])", "\n\\&%1"))
end

local function add(lines, ...)
  for _, line in ipairs { ... } do lines[#lines + 1] = line end
end

-- A text as it is, line by line.
local function verbatim(lines, text)
  add(lines, ".nf", escaped(text:gsub("\n$", "")), ".fi")
end

local function add_options(lines, command)
  for _, option in ipairs(command.options) do
    local value = option.value and (option.optional and ("[=%s]"):format(option.value) or " " .. option.value) or ""
    add(lines, ".TP", ("\\fB%s\\-\\-%s\\fR%s"):format(option.short and ("\\-%s, "):format(option.short) or "",
      escaped(option[1]), escaped(value)), escaped(option.doc) .. ".")
  end
end

local function add_examples(lines, command)
  for _, example in ipairs(command.examples) do
    add(lines, ".PP", escaped(example[2]) .. ":", ".PP", ".RS 4")
    verbatim(lines, example[1])
    add(lines, ".RE")
  end
end

local function add_command(lines, command)
  add(lines, ".SS " .. escaped(command.name), ".B " .. escaped(command.usage), ".PP",
    escaped((command.about:gsub("^%l", string.upper))) .. ".")
  add_options(lines, command)
  if command.text then
    add(lines, ".PP")
    verbatim(lines, command.text)
  end
  add_examples(lines, command)
end

local function add_variables(lines)
  add(lines, ".SH ENVIRONMENT")
  for _, variable in ipairs {
    { "OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY, OPENROUTER_API_KEY, ...", "keys of the providers" },
    { "OLLAMA_HOST", "where a local Ollama is" },
    { "CURIA_*", "keys of the configuration that one text can express" },
    { "HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE", "as libcurl reads them" },
    { "NO_COLOR, CLICOLOR_FORCE", "without colours; colours also on a pipe" },
  } do
    add(lines, ".TP", ".B " .. escaped(variable[1]), variable[2] .. ".")
  end
end

--- The page, for `man`.
---@return string
function M.page()
  local lines = {
    (".TH CURIA 1 \"\" \"Curia %s\" \"User Commands\""):format(system.version),
    ".SH NAME", "curia \\- councils of language models",
    ".SH SYNOPSIS", ".B curia", ".I COMMAND", ".RI [ ARGUMENTS ]", ".SH DESCRIPTION",
    "Several language models answer a question, review each other, vote or rank, and a chair writes the final answer.",
    "A council is a Lua script; this program runs councils.", ".SH COMMANDS",
  }
  for _, command in ipairs(commands.list) do add_command(lines, command) end
  add_variables(lines)
  add(lines, ".SH FILES", ".TP", ".I ~/.config/curia/curia.config.lua", "the user's configuration.",
    ".TP", ".I curia.config.lua", "a project's, which is read once it is trusted.", ".SH SEE ALSO",
    "The manual of the language: \\fBcuria help language\\fR.")
  return table.concat(lines, "\n") .. "\n"
end

return M
