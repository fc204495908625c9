-- luacheck: what it knows about the globals of each folder. Run by ./check lint.
std = "lua54"
max_line_length = 120
max_string_line_length = false -- prompts and messages are not torn apart
max_cyclomatic_complexity = 16
unused_args = false -- callbacks and rounds have the arguments that their callers give
-- luacheck does not know that a <close> variable is used when it is closed
ignore = { "211/guard", "211/transfer", "211/waiting" }
exclude_files = { "build", "**/node_modules" }

-- The words of the council language, in scope in files that `curia` runs.
local words = {
  "council", "member", "round", "chair", "router", "tool", "schema", "profile", "env", "cmd", "file",
  "topology", "auto", "escalate", "mcp", "step", "workflow",
}

files["councils"] = { read_globals = words }
files["examples"] = { read_globals = words }
files["spec"] = { std = "+busted", read_globals = words, max_cyclomatic_complexity = false, max_line_length = 160 }
files["examples/advisor_spec.lua"] = { std = "+busted" }
files["spec/pattern_spec.lua"] = { globals = { "string" } }
files["lua/curia/prompts.lua"] = { max_line_length = false }
files["spec/**/fixtures"] = { read_globals = words }

-- These two stand in for the Lua program: they set `arg`, and os.exit for busted.
files["lua/curia/cli/lua.lua"] = { globals = { "arg" } }
files["lua/curia/cli/test.lua"] = { globals = { "arg", "os.exit" } }
