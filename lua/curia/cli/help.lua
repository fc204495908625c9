--- The help: written from the table of commands. Examples come first, they teach most.
local commands = require "curia.cli.commands"
local library = require "curia.cli.library"
local manual = require "curia.cli.manual"
local suggest = require "curia.suggest"
local width = require "curia.view.width"

local M = {}

local COLUMNS = 80

local function table_of(rows, indent)
  local left = 0
  for _, row in ipairs(rows) do left = math.max(left, #row[1]) end
  local lines = {}
  for _, row in ipairs(rows) do
    local broken = width.wrap(row[2], math.max(COLUMNS - indent - left - 2, 24))
    lines[#lines + 1] = (" "):rep(indent) .. width.pad(row[1], left) .. "  " .. broken[1]
    for i = 2, #broken do lines[#lines + 1] = (" "):rep(indent + left + 2) .. broken[i] end
  end
  return lines
end

local function append(lines, more)
  table.move(more, 1, #more, #lines + 1, lines)
end

local function example_lines(examples)
  local lines = {}
  for _, example in ipairs(examples) do
    lines[#lines + 1] = "  # " .. example[2]
    lines[#lines + 1] = "  " .. example[1]
  end
  return lines
end

local function option_name(option)
  local value = ""
  if option.value then value = option.optional and ("[=%s]"):format(option.value) or " " .. option.value end
  return (option.short and "-" .. option.short .. ", " or "    ") .. "--" .. option[1] .. value
end

local function option_lines(options)
  local rows = {}
  for i, option in ipairs(options) do rows[i] = { option_name(option), option.doc } end
  rows[#rows + 1] = { "-h, --help", "show this help" }
  return table_of(rows, 2)
end

--- The help of one command.
---@param command table of `commands.list`
---@return string
function M.command(command)
  local lines = { command.usage, "  " .. command.about:gsub("^%l", string.upper) .. ".", "" }
  if #command.examples > 0 then
    lines[#lines + 1] = "Examples:"
    append(lines, example_lines(command.examples))
    lines[#lines + 1] = ""
  end
  lines[#lines + 1] = "Options:"
  append(lines, option_lines(command.options))
  if command.text then append(lines, { "", command.text }) end
  return table.concat(lines, "\n") .. "\n"
end

local function council_lines()
  local rows = {}
  for _, entry in ipairs(library.list()) do rows[#rows + 1] = { entry.name, entry.about } end
  if #rows == 0 then return { "  (none found)" } end
  return table_of(rows, 2)
end

local function topic(entry)
  local lines = { entry.text }
  if entry.councils then
    append(lines, { "", "Councils that come with Curia:" })
    append(lines, council_lines())
  end
  if entry.manual then append(lines, { "", manual.contents() }) end
  return table.concat(lines, "\n") .. "\n"
end

--- The first page: what to type, then what there is.
---@return string
function M.overview()
  local known, topics, names = {}, {}, {}
  for i, command in ipairs(commands.list) do known[i] = { command.name, command.about } end
  for name in pairs(commands.topics) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do topics[i] = { name, commands.topics[name].about } end
  local lines = {
    "Curia asks councils of language models: several answer, review each other, and a",
    "chair writes the final answer.", "",
    "Examples:",
  }
  append(lines, example_lines {
    { 'curia run llm_council "Should we ship on Friday?"', "ask a council that comes with Curia" },
    { 'curia run llm_council "Should we ship on Friday?" --offline', "the same without a key, with invented answers" },
    { "curia check my_council.lua", "is my council right?" },
  })
  append(lines, { "", "Commands:" })
  append(lines, table_of(known, 2))
  append(lines, { "", "Topics (curia help TOPIC):" })
  append(lines, table_of(topics, 2))
  append(lines, {
    "", "curia COMMAND --help tells more of a command; curia help NAME explains every",
    "round, rule, strategy and option of the language: curia help vote.",
  })
  return table.concat(lines, "\n") .. "\n"
end

local function all_names()
  local names = {}
  for name in pairs(commands.by_name) do names[name] = true end
  for name in pairs(commands.topics) do names[name] = true end
  for _, name in ipairs(manual.names()) do names[name] = true end
  return names
end

--- The text for a name.
---@param name? string a command, a topic, a heading of docs/language.md, or nil for the overview
---@return string?
---@return string? message
function M.text(name)
  if not name then return M.overview() end
  local command, entry = commands.by_name[name], commands.topics[name]
  if command then return M.command(command) end
  if entry then return topic(entry) end
  local section = manual.topic(name)
  if section then return section end
  return nil, suggest.message("topic", name, all_names())
end

--- `curia help [TOPIC]`
---@param values {man?: boolean}
---@param rest string[]
---@return integer exit code
function M.main(values, rest)
  if values.man then
    io.write((require "curia.cli.man".page()))
    return 0
  end
  local text, message = M.text(rest[1])
  if not text then
    io.stderr:write("curia: ", message, "\n")
    return 64
  end
  io.write(text)
  return 0
end

return M
