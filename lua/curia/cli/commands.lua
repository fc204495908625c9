--- Every command: what it does, its options, examples. The parser and the help read this one table.
local duration = require "curia.duration"
local suggest = require "curia.suggest"

local M = {}

local function read_duration(text)
  local ms, message = duration.parse(text)
  if ms then return ms end
  return nil, message == duration.EXPECTED and "a number with its unit is expected, as 90s, 5m, 24h or 30d" or message
end

local function read_integer(text)
  local value = math.tointeger(tonumber(text))
  if not value then return nil, "a whole number is expected" end
  return value
end

local function read_count(text)
  local value = math.tointeger(tonumber(text))
  if not value or value < 0 then return nil, "a whole number, 0 or more, is expected" end
  return value
end

local function read_positive(text)
  local value = math.tointeger(tonumber(text))
  if not value or value < 1 then return nil, "a whole number above 0 is expected" end
  return value
end

-- As names of queues and councils are in the library.
local function read_name(text)
  if #text > 0 and #text <= 128 and not text:find "[/%c]" then return text end
  return nil, "a name without '/' is expected"
end

local function read_one_of(names)
  return function(text)
    for _, name in ipairs(names) do
      if text == name then return text end
    end
    return nil, ("one of %s is expected%s"):format(table.concat(names, ", "), suggest.hint(text, names))
  end
end

local RUN_STATUSES = { "pending", "running", "blocked", "completed", "failed", "cancelled", "terminated" }
local JOB_STATES = { "available", "scheduled", "executing", "retryable", "completed", "discarded", "cancelled" }

local function read_amount(text)
  local value = tonumber(text)
  if value and value >= 0 and value < math.huge then return value end
  return nil, "an amount, 0 or more, is expected"
end

local function read_port(text)
  local value = read_count(text)
  if not value or value > 65535 then return nil, "a port, 0 to 65535, is expected" end
  return value
end

local function read_pair(what)
  return function(text)
    local name, value = text:match("^([^=]+)=(.*)$")
    if not name then return nil, what .. " is expected" end
    return { name, value }
  end
end

local function read_verbose(text)
  if text == "debug" then return text end
  return nil, "only =debug is known"
end

local function read_approval(text)
  if text == "ask" or text == "all" or text == "none" then return text end
  return nil, "ask, all or none is expected"
end

local config_option = { "config", value = "KEY=VALUE", many = true, convert = read_pair("KEY=VALUE"),
  doc = "a key of the configuration, for this time (JSON, or a text)" }

local run = {
  name = "run",
  configured = true,
  usage = "curia run COUNCIL [QUESTION] [OPTIONS]",
  about = "ask a council",
  examples = {
    { 'curia run llm_council "Should we ship on Friday?"', "a council that comes with Curia" },
    { 'curia run councils/panel.lua "Why is the sky blue?"', "a council of your own" },
    { 'curia run panel "Summarise this" --set text="$(cat report.txt)"', "more fields of the input" },
    { "git diff | curia run critic -i -", "the question from a pipe" },
    { 'curia run panel "Ship?" --offline', "no key, no network: invented answers, marked so" },
    { 'curia run panel "Ship?" --json | jq .decision', "everything, as one JSON document" },
    { 'curia run panel "Ship?" --model optimist=ollama/llama3.2', "another model for one member" },
  },
  options = {
    { "input", short = "i", value = "FILE|-",
      doc = "read the input from a JSON file, or from standard input (JSON, or plain text: the question)" },
    { "set", value = "KEY=VALUE", many = true, convert = read_pair("KEY=VALUE"),
      doc = "set a field of the input; JSON values keep their type; a.b=1 reaches inside" },
    { "model", value = "MEMBER=MODEL", many = true, convert = read_pair("MEMBER=PROVIDER/MODEL"),
      doc = "another model for a member, as provider/model" },
    { "offline", doc = "ask nobody: scripted answers, marked as such everywhere" },
    { "or-offline",
      doc = "ask models if there is a key or a local Ollama; else say what is missing and go on as with --offline" },
    { "json", doc = "print the whole result as one JSON document" },
    { "events", doc = "print each event as a line of JSON, as it comes" },
    { "quiet", short = "q", doc = "print nothing but the final answer, and errors" },
    { "verbose", short = "v", value = "debug", optional = true, convert = read_verbose,
      doc = "print a timeline to standard error; =debug adds prompts and answers" },
    { "deadline", value = "TIME", convert = read_duration, doc = "the longest time for the whole run: 90s, 5m" },
    { "budget-usd", value = "N", convert = read_amount,
      doc = "the most that the run may spend, in US dollars; every model needs a price" },
    { "durable",
      doc = "store each answer before anything depends on it: if the program dies, curia resume goes on" },
    { "no-record", doc = "keep nothing of the run; otherwise curia runs shows it later" },
    { "seed", value = "N", convert = read_integer, doc = "seed of the run's random choices" },
    { "approve", value = "ask|all|none", convert = read_approval,
      doc = "calls of tools that need approval: ask at the terminal, the default there; allow all; or refuse" },
    config_option,
  },
  text = [[
COUNCIL is a Lua file, FILE#name where a file declares several, a JSON file that
holds a council as data, or the name of a council that comes with Curia (curia
help councils).

Standard output gets the final answer and nothing else; everything that is told
on the way goes to standard error: members side by side on a terminal, plain
lines elsewhere (and with TERM=dumb or a locale that is not UTF-8). NO_COLOR and
CLICOLOR=0 take the colours away; CLICOLOR_FORCE=1 brings them to a terminal
that is not known to have any.

Ctrl-C cancels the run and prints what there is; twice stops at once. SIGTERM
and a closed terminal cancel too, but let go of a durable run once what is under
way has ended: `curia resume` goes on with it.

Exit codes: 0 ok, 2 partial (an answer, but somebody is missing in it),
1 failed, 64 wrong usage, 129, 130 and 143 ended by a signal.]],
}

local check = {
  name = "check",
  configured = true,
  usage = "curia check COUNCIL|FILE... [OPTIONS]",
  about = "find every fault of a council or a workflow before a token is spent",
  examples = {
    { "curia check councils/panel.lua", "every fault with its place, its code and what was meant" },
    { "curia check councils/*.lua --json", "the same for programs" },
    { "curia check release.lua", "all workflows and councils of a file, with the lines of their steps" },
  },
  options = { { "json", doc = "print one JSON document" } },
  text = "Exit codes: 0 all is well, 1 there are faults, 64 wrong usage.",
}

local diagram = {
  name = "diagram",
  configured = true,
  usage = "curia diagram COUNCIL|EVENTS [OPTIONS]",
  about = "draw a council, or a run as it went",
  examples = {
    { "curia diagram llm_council", "rounds from top to bottom, members side by side" },
    { "curia diagram advisor.lua --mermaid > advisor.mmd", "a flowchart for documents" },
    { "curia diagram llm_council --sequence", "who is asked when, as a sequence diagram" },
    { 'curia run panel "Ship?" --events > run.jsonl; curia diagram run.jsonl',
      "the same of a run: times, retries, outcomes" },
  },
  options = {
    { "ascii", doc = "draw with plain characters, in 80 columns where the names allow; the default" },
    { "mermaid", doc = "print the source of a Mermaid flowchart" },
    { "sequence", doc = "print the source of a Mermaid sequence diagram" },
  },
  text = [[
EVENTS is a file that ends in .jsonl, with one event a line, as `curia run
--events` prints them; it gives a sequence diagram.

Exit codes: 0 drawn, 1 the file cannot be read, 64 wrong usage.]],
}

local estimate = {
  name = "estimate",
  configured = true,
  usage = "curia estimate COUNCIL [QUESTION] [OPTIONS]",
  about = "tell what a run will take, without a call",
  examples = {
    { 'curia estimate panel "Should we ship on Friday?"', "calls, tokens and dollars, from the least to the most" },
    { "curia estimate councils/panel.lua -i input.json --json", "the same for programs" },
  },
  options = {
    { "input", short = "i", value = "FILE|-", doc = "read the input from a JSON file, or from standard input" },
    { "json", doc = "print one JSON document" },
  },
  text = [[
The bounds hold as long as nothing fails; retries come on top, up to the number
of attempts that is told. Tokens are a quarter of the bytes; an answer is taken
to be no longer than its member's max_tokens, or 1,024 tokens where it names
none. Dollars are known for models that have a price.

Exit codes: 0 ok, 1 the council is not valid, 64 wrong usage.]],
}

local new = {
  name = "new",
  usage = "curia new NAME [OPTIONS]",
  about = "write a council, or a project, to start from",
  examples = {
    { "curia new advisor", "advisor.lua, with comments" },
    { "curia new jury2 --template jury", "from a council that comes with Curia" },
    { "curia new advisor --project", "a folder: council, configuration, a spec that passes" },
  },
  options = {
    { "template", value = "COUNCIL", doc = "a council that comes with Curia (curia help councils)" },
    { "project", doc = "a folder with a configuration and a spec besides" },
  },
  text = "Nothing is overwritten.",
}

local lua = {
  name = "lua",
  configured = true,
  usage = "curia lua FILE|- [ARGUMENT...]",
  about = "run a Lua script with Curia in scope",
  examples = {
    { "curia lua examples/first.lua", "a script that makes a council and asks it" },
    { "echo 'print(curia.version)' | curia lua -", "a script from a pipe" },
  },
  options = {},
  raw = true,
  text = [[
The script runs as a task: whatever waits, waits without holding the loop. In
scope are `curia` (as require "curia"), the words of the council language
(council, member, round, chair, tool, topology, auto, escalate, bm25, http_get,
mcp, env, cmd, file) and `uv` (luv, on the same loop). Arguments are in `arg`
and `...`; an integer that the script returns is the exit code.]],
}

local trust = {
  name = "trust",
  usage = "curia trust [FOLDER] [OPTIONS]",
  about = "let a project's curia.config.lua be read",
  examples = {
    { "curia trust", "the one in this folder, as it is now" },
    { "curia trust --list", "all that are trusted" },
  },
  options = {
    { "list", doc = "list what is trusted" },
    { "remove", doc = "trust it no more" },
  },
  text = [[
A configuration file is Lua, and a project's comes from whoever made the folder:
look at it before you trust it. One that has changed since is not read until it
is trusted again. Your own, ~/.config/curia/curia.config.lua, needs no trust.]],
}

local repl = {
  name = "repl",
  configured = true,
  usage = "curia repl [FILE] [OPTIONS]",
  about = "try councils and Lua at a prompt, while runs go on",
  examples = {
    { "curia repl", "Lua with the council language in scope" },
    { "curia repl councils/panel.lua --offline", "a file loaded first, invented answers" },
    { "echo 'print(curia._VERSION)' | curia repl", "lines from a pipe, for scripts" },
  },
  options = { { "offline", doc = "ask nobody: scripted answers, marked as such everywhere" } },
  text = [[
An expression shows its value; `_` is the last one. A statement that is not
finished goes on in the next line. Variables stay, also those that are typed as
`local x = ...`. A council that is declared can be asked by its name.

    > council "pair" { profile = "fast", member "a" {}, member "b" {},
    >>   round "independent_analysis" {}, chair {} }
    > curia.run("pair", "Ship on Friday?")      waits, and shows the result
    > run = curia.start("pair", "And Monday?")  goes on while you type
    > :runs                                     :watch, :cancel, :cost, :help

Ctrl-C stops what runs, or takes back what is typed; Ctrl-D ends. TAB completes
names, fields, councils, commands and files. Lines are kept in the history, but
those that begin with a blank or hold what looks like a key.]],
}

local store_option = { "store", value = "URL", doc = "the store, sqlite:PATH; without it the configured one" }

local worker = {
  name = "worker",
  configured = true,
  usage = "curia worker [OPTIONS]",
  about = "execute the jobs of a queue",
  examples = {
    { "curia worker", "the queue `default`, with the councils that come with Curia" },
    { "curia worker --councils councils --concurrency 50", "with those of a folder" },
    { "curia worker --queue mail --queue default", "two queues, each with its own concurrency" },
  },
  options = {
    { "queue", value = "NAME", many = true, convert = read_name,
      doc = "a queue (default); may stand several times" },
    { "concurrency", short = "c", value = "N", convert = read_positive, doc = "jobs of a queue at once (10)" },
    { "councils", value = "DIR", doc = "know the councils of this folder's files" },
    { "drain", value = "TIME", convert = read_duration,
      doc = "at the end, how long jobs under way may take (30s)" },
    store_option, config_option,
  },
  text = [[
Each job is the run of a council, found by its name: in DIR, among those that
the configuration knows, and among those that come with Curia. A job that fails
is tried again, later and later, and goes on where it has stopped; one whose
worker has died is taken up by another.

Ctrl-C and SIGTERM begin nothing more, and let what is under way end; what takes
longer than --drain is given back to other workers. A second one gives all of it
back at once.

Exit codes: 0 it was stopped, 1 failed, 64 wrong usage.]],
}

local jobs = {
  name = "jobs",
  configured = true,
  usage = "curia jobs ACTION [ARGUMENT...] [OPTIONS]",
  about = "enqueue runs for workers, and look after them",
  examples = {
    { 'curia jobs enqueue panel "Should we ship on Friday?"', "prints the job's id" },
    { 'curia jobs enqueue panel "Ship?" --in 2h --unique friday', "later, and only once" },
    { "curia jobs list --state discarded", "the newest first" },
    { "curia jobs show last", "all about the newest, with the errors of its attempts" },
    { "curia jobs cancel 01980f6e-...", "it, and its run" },
    { "curia jobs retry 01980f6e-...", "one that was given up" },
    { "curia jobs prune --older-than 30d", "forget those that ended 30 days ago" },
    { 'curia jobs schedule news "30 6 * * mon-fri" panel "What is new?"', "one each working day, at 6:30 UTC" },
    { "curia jobs unschedule news", "no more of them" },
  },
  options = {
    { "input", short = "i", value = "FILE|-",
      doc = "enqueue, schedule: the input, from a JSON file or standard input" },
    { "set", value = "KEY=VALUE", many = true, convert = read_pair("KEY=VALUE"),
      doc = "enqueue, schedule: a field of the input" },
    { "in", value = "TIME", convert = read_duration, doc = "enqueue: begin no sooner than in 90s, 5m, 2h" },
    { "priority", value = "N", convert = read_integer, doc = "enqueue, schedule: the smallest goes first (0)" },
    { "unique", value = "KEY", doc = "enqueue: make none while another with this key has not ended" },
    { "period", value = "TIME", convert = read_duration, doc = "enqueue: the key is taken for so long instead" },
    { "max-attempts", value = "N", convert = read_positive,
      doc = "enqueue, schedule: give up after so many (5)" },
    { "timeout", value = "TIME", convert = read_duration,
      doc = "enqueue, schedule: the longest time of an attempt" },
    { "queue", value = "NAME", convert = read_name, doc = "enqueue, schedule, list: the queue (default)" },
    { "state", value = "STATE", convert = read_one_of(JOB_STATES),
      doc = "list: available, scheduled, executing, retryable, completed, ..." },
    { "council", value = "NAME", doc = "list: those of a council" },
    { "limit", value = "N", convert = read_positive, doc = "list: at most so many (50)" },
    { "reason", value = "TEXT", doc = "cancel: why" },
    { "older-than", value = "TIME", convert = read_duration, doc = "prune: ended so long ago (168h)" },
    { "json", doc = "print JSON, a line for each job or schedule" },
    store_option, config_option,
  },
  text = [[
    enqueue COUNCIL [QUESTION]
    list                                  newest first
    show JOB
    cancel JOB                            it, and its run
    retry JOB                             begin it now, with an attempt left
    prune                                 delete those that ended long ago
    schedule NAME CRON COUNCIL [QUESTION]
                                          a job each time, or tell it anew
    schedules                             all of them, and when each comes next
    unschedule NAME

JOB is a job's id, or "last", which is the newest.

CRON is five fields in quotes: minute, hour, day of the month, month, day of the
week (*, 5, 1-5, */15, 1,15, mon-fri), or @hourly, @daily, @weekly, @monthly,
@yearly. Times are UTC. Workers fire schedules, each time once for all of them.

A council is named as its workers know it (curia worker --councils). States:
available, scheduled (waits for its time), executing, retryable (waits for its
next attempt), completed, discarded (given up) and cancelled. A job is shown as
parked, which is executing without a worker, while its run waits for a decision.

Exit codes: 0 ok (nothing to list is ok), 1 failed, or no such job, 64 wrong
usage.]],
}

local doctor = {
  name = "doctor",
  configured = true,
  usage = "curia doctor [COUNCIL] [OPTIONS]",
  about = "find out what works here: keys, models, configuration",
  examples = {
    { "curia doctor", "the profiles `fast`, `balanced` and `deep`" },
    { "curia doctor councils/panel.lua", "each member and the chair of a council" },
    { "curia doctor --no-calls", "nothing that costs anything" },
  },
  options = {
    { "no-calls", doc = "make no call; otherwise each model is asked for one token" },
    { "json", doc = "print one JSON document" },
    config_option,
  },
  text = [[
Shows every value of the configuration with where it comes from (secrets
masked), what the environment says of proxies and certificates, which keys are
there, and asks each model for one token.

Exit codes: 0 all is well, 1 something is not, 64 wrong usage.]],
}

local mock = {
  name = "mock",
  usage = "curia mock [SCRIPT] [OPTIONS]",
  about = "serve scripted answers in the providers' protocols",
  examples = {
    { "curia mock", "short made-up answers, on a free port of this machine" },
    { "curia mock examples/mock_script.lua --port 8700 --log", "a script of your own, told request by request" },
    {
      'OPENAI_BASE_URL=http://127.0.0.1:8700/v1 OPENAI_API_KEY=any \\\n    curia run panel "Ship on Friday?"',
      "ask it",
    },
  },
  options = {
    { "script", value = "FILE", doc = "the script, if it is no argument of its own" },
    { "port", short = "p", value = "N", convert = read_port, doc = "the port; 0, the default, is any that is free" },
    { "listen", value = "ADDRESS", doc = "the address; 127.0.0.1, the default, is this machine only" },
    { "latency-ms", value = "N", convert = read_count, doc = "wait so long before every answer" },
    { "log", doc = "tell each request on standard error" },
    { "json", doc = "print the address, and the log, as JSON" },
  },
  text = [[
It speaks the protocols of OpenAI (Chat Completions and Responses), Anthropic,
Gemini, Ollama and OpenRouter, prints its address when it is ready, takes every
key, and ends with Ctrl-C. ANTHROPIC_BASE_URL and OLLAMA_HOST take the bare
address. A script is a Lua file that returns its answers:

    return {
      default = "It depends.",         -- or an answer, a list, a function(request)
      rules = {                        -- the first that matches answers
        { match = { model = "gpt-5" },
          answer = { content = "Yes.", delay_ms = 300, chunk_delay_ms = 20 } },
        { match = { contains = "weather" },             -- in the last message
          answer = { tool_calls = { { name = "weather",
                                      arguments = { city = "Oslo" } } } } },
        { match = { system = "skeptic", n = 1 },        -- the first time only
          answer = { error = { status = 429, retry_after_ms = 500 } } },
        { match = { path = "/v1/messages" },            -- one protocol
          answer = { content = "Never said in full", fault = "cut" } },
      },
    }

  match   model, contains, system, path, n, and in scripted providers member and
          round; or a function(request)
  answer  content, reasoning, stream = {"a", "b"} or pieces = n, delay_ms,
          chunk_delay_ms, tool_calls, usage, cost, finish_reason, model, fault,
          after (pieces before the fault), error = {status, message, code, type,
          retry_after_ms, should_retry}
  fault   refuse_connection, cut_before, cut, reset, hang, silence, slow, html,
          empty, garbage, error_in_200, no_done

GET /stats counts requests (?reset=1 starts over), GET /requests shows the last
ones without their keys, GET /healthz says whether it is up.]],
}

local runs = {
  name = "runs",
  configured = true,
  usage = "curia runs [list|show|events|cancel|export|prune|rerun] [RUN] [OPTIONS]",
  about = "look at the runs that were recorded",
  examples = {
    { "curia runs", "the newest, with what they cost" },
    { "curia runs list --status failed --since 24h", "those that failed today" },
    { "curia runs show last", "the newest: who said what, what was decided, what it took" },
    { "curia runs events last | jq -c .type", "its events, as lines of JSON" },
    { "curia runs rerun last", "ask once more" },
    { "curia runs export > runs.jsonl", "all runs with their events" },
    { "curia runs export --db backup.db", "a copy of the database, while it is in use" },
    { "curia runs prune --older-than 30d", "remove what ended more than a month ago" },
  },
  options = {
    { "status", value = "STATUS", convert = read_one_of(RUN_STATUSES),
      doc = "list: pending, running, blocked, completed, failed, cancelled, terminated" },
    { "council", value = "NAME", doc = "list: runs of one council" },
    { "group", value = "NAME", doc = "list: runs of one group" },
    { "since", value = "TIME", convert = read_duration, doc = "list: runs of the last 30m, 24h, 7d" },
    { "limit", value = "N", convert = read_count, doc = "list: so many at most; on a terminal 20 unless you say" },
    { "inside", doc = "list: runs that are part of others too" },
    { "from", value = "N", convert = read_count, doc = "events: from this number on" },
    { "db", value = "FILE", doc = "export: copy the database into a new file" },
    { "older-than", value = "TIME", convert = read_duration,
      doc = "prune: what ended longer ago; without it the configuration's `retention`" },
    { "quiet", short = "q", doc = "rerun: print nothing but the final answer, and errors" },
    { "json", doc = "list, show, rerun: print one JSON document" },
    config_option,
  },
  text = [[
curia run records what it asks (--no-record does not), in the store that the
configuration names, else in curia.db in ~/.local/share/curia. RUN is a run's
id, or "last", which is the newest and what show and events take when you say
nothing.

events follows a run that another process goes on with. cancel leaves word for
that process, or for the one that takes the run up. rerun loads the council
again, as its file is now; the new run names the old one. prune removes jobs and
workflows too that ended so long ago, and texts that nothing else has.

In a pipe, list prints a line for each run: id, time, status, council, cost and
question, with tabs between them. A run that stands as running, and whose
process has died, is listed as died: curia resume goes on with it if it is
durable. One that its process has let go is listed so.

Exit codes: 0 ok (nothing to list is ok), 1 failed, or no such run; of rerun as
of curia run; 64 wrong usage.]],
}

local resume = {
  name = "resume",
  configured = true,
  usage = "curia resume RUN [OPTIONS]",
  about = "go on with a durable run whose process has died, or that has failed",
  examples = {
    { "curia resume last", "the newest run" },
    { "curia resume 0198c0de-... --accept 2/critique/a", "although that step is asked differently now" },
  },
  options = {
    { "accept", value = "PATH", many = true,
      doc = "a step whose input may differ from what is on record, or the council's file; may stand several times" },
    { "accept-all", doc = "go on whatever differs; standard error has what did" },
    { "json", doc = "print the whole result as one JSON document" },
    { "events", doc = "print each event as a line of JSON, as it comes" },
    { "quiet", short = "q", doc = "print nothing but the final answer, and errors" },
    { "verbose", short = "v", value = "debug", optional = true, convert = read_verbose,
      doc = "print a timeline to standard error; =debug adds prompts and answers" },
    { "approve", value = "ask|all|none", convert = read_approval,
      doc = "calls of tools that need approval: ask at the terminal, the default there; allow all; or refuse" },
    config_option,
  },
  text = [[
What has finished answers from the record and is not paid again; a call that was
under way is made once more. Of a run that has failed, the errors that ended it
are tried again. A run that another process goes on with is left to it.

A council that asks for something else than is on record blocks the run, and the
difference is told: put the file back as it was, or accept the step. What has
finished is not asked again even so: it answers as it did then.

Exit codes: as of curia run, and 1 where the run is not there, has ended, goes
on elsewhere or differs from what is on record.]],
}

local replay = {
  name = "replay",
  configured = true,
  usage = "curia replay [RUN] [OPTIONS]",
  about = "show a stored run as it went, without asking anybody",
  examples = {
    { "curia replay last", "the newest run, at its own pace" },
    { "curia replay last --speed 10", "ten times as fast" },
    { "curia replay last --speed 0 --events", "all events at once, as lines of JSON" },
  },
  options = {
    { "speed", value = "N", convert = read_amount, doc = "how many times as fast as it was (1); 0 waits for nothing" },
    { "events", doc = "print each event as a line of JSON" },
    config_option,
  },
  text = "RUN is a run's id, or \"last\", which is the newest.",
}

local recover = {
  name = "recover",
  configured = true,
  usage = "curia recover [OPTIONS]",
  about = "take up the runs of processes that have died",
  examples = {
    { "curia recover --once", "those that there are now, and see them to their end" },
    { "curia recover --councils councils/", "until it is stopped, with councils of your own" },
    { "curia recover --stack blue --env live", "those of a deployment and an environment" },
  },
  options = {
    { "once", doc = "one look, then the runs that were taken up; otherwise a look every second" },
    { "councils", value = "DIR", doc = "a folder of council files that are known besides those that come with Curia" },
    { "stack", value = "NAME", doc = "runs of this stack and of none (the configured one); \"*\": of all" },
    { "env", value = "NAME", doc = "runs of this environment alone (the configured one); \"\": of none" },
    { "json", doc = "print what was done as lines of JSON" },
    config_option,
  },
  text = [[
Each run does what its council's `recovery` says: it goes on from its record, is
begun anew, or fails. SIGTERM and Ctrl-C let go of what has been taken up, for
others. A worker (curia worker) does the same beside its jobs.

Exit codes: 0 it has looked, or was stopped, whatever became of the runs;
1 the store or a council cannot be read; 64 wrong usage.]],
}

local approve = {
  name = "approve",
  configured = true,
  usage = "curia approve RUN CALL yes|no [NOTE]",
  about = "decide about a tool's call that a durable run waits with",
  examples = {
    { "curia approve last call_1 yes", "let the newest run's call happen" },
    { 'curia approve last call_1 no "not on Fridays"', "refuse it; the model is told why" },
  },
  options = { config_option },
  text = [[
CALL is the id that the event `run_blocked` tells; curia runs show has it too.
The run goes on where it is, or in the next process that takes it up.

Exit codes: 0 decided, 1 there is no such run, or no such call waits;
64 wrong usage.]],
}

local migrate = {
  name = "migrate",
  configured = true,
  usage = "curia migrate [status|up|down] [OPTIONS]",
  about = "bring the store's tables up to date, or remove them",
  examples = {
    { "curia migrate", "where the tables stand" },
    { "curia migrate up", "take the steps that are missing" },
    { "curia migrate down --yes", "remove all tables, with everything that is stored" },
  },
  options = {
    { "yes", doc = "down: do not ask" },
    { "json", doc = "print one JSON document" },
    config_option,
  },
  text = [[
Whatever opens a store takes the missing steps by itself; this is for those who
want it done at a time of their own. Steps only go forward, each in one
transaction. A store of a newer Curia is left alone.]],
}

local test = {
  name = "test",
  usage = "curia test [FILE|FOLDER...] [BUSTED OPTIONS]",
  about = "run specs with busted, on this program's Lua 5.4",
  examples = {
    { "curia test", "all specs below spec/" },
    { "curia test spec/json_spec.lua", "one file" },
    { "curia test --filter=timeout -o TAP", "options of busted" },
  },
  options = {},
  raw = true,
  text = "All options are busted's; `curia test -- --help` lists them.",
}

local workflow = {
  name = "workflow",
  configured = true,
  usage = "curia workflow start|list|show|approve|resume|cancel ... [OPTIONS]",
  about = "run councils, functions and approvals that follow each other",
  examples = {
    { 'curia workflow start release.lua --set change="$(git log -1)"', "begin, and go on until it ends or waits" },
    { "curia workflow list --status blocked", "those that wait for somebody" },
    { "curia workflow show last", "the newest: its steps, what they gave, and why one has failed" },
    { 'curia workflow approve 0198c0de-... sign yes --note "fine"', "decide, and go on" },
    { "curia workflow resume 0198c0de-...", "go on after a pause, or after the program was killed" },
    { 'curia workflow cancel 0198c0de-... --note "not needed"', "stop what runs, and end it" },
  },
  options = {
    { "input", short = "i", value = "FILE|-", doc = "start: the trigger, from a JSON file or from standard input" },
    { "set", value = "KEY=VALUE", many = true, convert = read_pair("KEY=VALUE"),
      doc = "start: a field of the trigger; JSON values keep their type" },
    { "id", value = "ID", doc = "start: the workflow's id; the same id with the same trigger is begun once" },
    { "subject", value = "TEXT", doc = "start: what it is about: one at a time for each" },
    { "offline", doc = "start: ask nobody: scripted answers, marked as such" },
    { "status", value = "STATUS", doc = "list: running, blocked, done, failed or cancelled" },
    { "name", value = "NAME", doc = "list: of this workflow only" },
    { "limit", value = "N", convert = read_count, doc = "list: how many at most (20)" },
    { "note", value = "TEXT", doc = "approve, cancel: why" },
    { "file", value = "FILE", doc = "resume, approve: where the workflow is declared now, if it was moved" },
    { "json", doc = "print one JSON document" },
    config_option,
  },
  text = [[
    start FILE|FILE#NAME          begin the workflow that a Lua file declares
    list                          newest first
    show ID
    approve ID STEP yes|no
    resume ID
    cancel ID

ID is a workflow's id, or "last", which is the newest.

Workflows are kept in the store that the configuration names, else in
~/.local/share/curia/curia.db. Each step is stored before it begins and when it
has ended: a program that was killed loses nothing but the step in flight.
docs/workflows.md tells how to write one.

Exit codes: 0 done (or listed, shown, cancelled), 1 it failed, or was cancelled
while it was waited for, 2 it waits for somebody, 64 wrong usage, 129, 130 and
143 ended by a signal.]],
}

local version = {
  name = "version",
  usage = "curia version [--json]",
  about = "show the versions of Curia and of what it is built on",
  examples = {},
  options = { { "json", doc = "print one JSON document" } },
}

local completion = {
  name = "completion",
  usage = "curia completion bash|zsh|fish",
  about = "print a script with which a shell completes commands and councils",
  examples = {
    { "source <(curia completion bash)", "for this shell; in ~/.bashrc for each" },
    { 'curia completion zsh > "${fpath[1]}/_curia"', "for zsh" },
    { "curia completion fish > ~/.config/fish/completions/curia.fish", "for fish" },
  },
  options = { { "list", value = "NAME", doc = "print the names of a kind, councils or topics; the scripts ask so" } },
}

local help = {
  name = "help",
  usage = "curia help [TOPIC]",
  about = "explain a command or a topic",
  examples = {
    { "curia help run", "a command" },
    { "curia help councils", "a topic" },
    { "curia help vote", "a word of the council language" },
    { "curia help language", "all of its words" },
    { "curia help --man | man -l -", "all commands as a man page" },
  },
  options = { { "man", doc = "print all commands as a man page" } },
}

--- In the order of the help.
M.list = {
  run, resume, replay, runs, approve, new, check, diagram, estimate, workflow, lua, repl, worker, jobs, recover, trust,
  doctor, migrate, mock, test, completion, version, help,
}

--- By name.
M.by_name = {}
for _, command in ipairs(M.list) do M.by_name[command.name] = command end

--- Texts that belong to no single command.
M.topics = {
  councils = {
    about = "what a council is, and how to write one",
    text = [[
A council is a Lua file that names members, rounds and perhaps a chair:

    council "advisor" {
      profile = "fast",
      member "optimist" { system = "You see what could go right." },
      member "skeptic"  { system = "You see what could go wrong." },
      round "independent_analysis" {},
      round "anonymized_peer_review" {},
      chair {},
    }

    curia check advisor.lua          is it right?
    curia run advisor.lua "Ship?"    ask it

A profile says which model answers: `fast`, `balanced` and `deep` take the
first provider that has a key (curia help keys). A member may name its own:
model = "anthropic/claude-sonnet-4-6". All that a council can say: curia help
language.]],
    councils = true,
  },
  language = {
    about = "every word of the council language, by chapters",
    text = [[
curia help NAME explains each of these, with an example; a chapter's name tells
what it is about. The whole manual is docs/language.md.]],
    manual = true,
  },
  keys = {
    about = "which keys Curia looks for, and how to go without",
    text = [[
A key is an environment variable; the first that is set decides which provider
the profiles `fast`, `balanced` and `deep` ask:

    OPENAI_API_KEY  ANTHROPIC_API_KEY  GEMINI_API_KEY  OPENROUTER_API_KEY

Without a key: a local Ollama (https://ollama.com) is found by itself at
127.0.0.1:11434, or where OLLAMA_HOST says, when it has at least one model.

With neither: --offline answers from a script. Nothing of that comes from a
model, and every view and record says so.]],
  },
}

return M
