--- The commands of the REPL: lines that begin with a colon.
local curia = require "curia"
local diagram = require "curia.diagram"
local help = require "curia.cli.help"
local suggest = require "curia.suggest"
local verbose = require "curia.verbose"
local words = require "curia.view.words"

local M = {}

---@class curia.repl.Command
---@field usage string
---@field about string
---@field run fun(session: curia.repl.Session, argument: string)
M.all = {}

local function command(name, usage, about, run)
  M.all[name] = { usage = usage, about = about, run = run }
end

local function say_error(session, err)
  session:say(tostring(err))
end

local function load_file(session, path)
  local ok, err = session:load(path)
  if not ok then return say_error(session, err) end
  session.file = path
  session:say("loaded " .. path)
end

command("load", ":load FILE", "run a Lua file here; its councils can be asked by name", function(session, path)
  if path == "" then return session:say ":load needs a file" end
  load_file(session, path)
end)

command("reload", ":reload", "the last file once more", function(session)
  if not session.file then return session:say "nothing was loaded" end
  load_file(session, session.file)
end)

local function run_line(state)
  local parts = { ("%-36s %-10s %s"):format(state.run_id, state.status, state.council) }
  if state.current_round then parts[#parts + 1] = "in " .. state.current_round.name end
  return table.concat(parts, "  ")
end

command("runs", ":runs", "the runs that live or ended a short time ago", function(session)
  local states = curia.list()
  if #states == 0 then return session:say "no runs" end
  for _, state in ipairs(states) do session:say(run_line(state)) end
end)

-- A run by its id or the beginning of it; without one the newest.
local function find_run(session, id)
  local states = curia.list()
  for _, state in ipairs(states) do
    if id == "" or state.run_id:sub(1, #id) == id then return curia.find(state.run_id) end
  end
  session:say(id == "" and "no runs" or "no run " .. id)
end

command("watch", ":watch [RUN]", "what a run does, until it ends or Ctrl-C", function(session, id)
  local run = find_run(session, id)
  if not run then return end
  for event in run:events { tokens = false } do
    for _, line in ipairs(verbose.lines(event, run.started_at, true)) do session:say(line) end
  end
end)

command("cancel", ":cancel [RUN]", "cancel a run", function(session, id)
  local run = find_run(session, id)
  if run then
    run:cancel "cancelled at the prompt"
    session:say("cancelled " .. run.id)
  end
end)

command("diagram", ":diagram COUNCIL", "draw a council", function(session, name)
  local council = session:council(name)
  if not council then return session:say(suggest.message("council", name, session:council_names())) end
  session:say(diagram.draw(council:graph(), "ascii"))
end)

command("cost", ":cost", "what this session's runs have used", function(session)
  local usage = session.used
  session:say(("%s; %s; %s"):format(words.counted(usage.runs, "run"), words.tokens(usage) or "no tokens",
    usage.usd > 0 and ("%.4f US dollars"):format(usage.usd) or "no cost that is known"))
end)

local function sorted_names()
  local names = {}
  for name in pairs(M.all) do names[#names + 1] = name end
  table.sort(names)
  return names
end

--- The commands' names, sorted.
M.names = sorted_names

command("help", ":help [TOPIC]", "this list, or what `curia help TOPIC` explains", function(session, topic)
  if topic ~= "" then
    local text, message = help.text(topic)
    return session:say(text or message)
  end
  session:say "Lua 5.4 with the council language, `curia` and `uv`. An expression shows its value; `_` is the last."
  session:say "Runs that are started go on while you type. Ctrl-C stops what runs, Ctrl-D ends.\n"
  for _, name in ipairs(sorted_names()) do
    session:say(("  %-18s %s"):format(M.all[name].usage, M.all[name].about))
  end
end)

command("quit", ":quit", "end the session", function(session)
  session.over = true
end)

--- Runs a command.
---@async
---@param session curia.repl.Session
---@param line string
function M.run(session, line)
  local name, argument = line:match "^%s*:(%a*)%s*(.-)%s*$"
  local found = name and M.all[name]
  if found then return found.run(session, argument) end
  local known = {}
  for other in pairs(M.all) do known[":" .. other] = true end
  session:say(suggest.message("command", ":" .. (name or ""), known) .. " (:help lists them)")
end

--- Whether a line is a command.
---@param line string
---@return boolean
function M.is(line)
  return line:find "^%s*:%a*" ~= nil and not line:find "^%s*::"
end

return M
