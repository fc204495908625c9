--- A batch: a CSV of questions in, a CSV of answers out, a few runs at a time, a progress bar.
--
--     curia lua examples/batch.lua questions.csv answers.csv [--at-once 4] [--real]
--
-- The first column is the question; a header line is kept. Ctrl-C stops asking and keeps what is done.
local curia = require "curia"
local task = require "curia.task"
local uv = require "luv"

local function fail(message, code)
  io.stderr:write("batch.lua: ", message, "\n")
  os.exit(code)
end

-- How many runs at a time (nil: not a number), and whether real members are asked.
local function options()
  local at_once, real, i = 4, false, 3
  while arg[i] do
    if arg[i] == "--real" then
      real, i = true, i + 1
    elseif arg[i] == "--at-once" then
      at_once, i = math.tointeger(tonumber(arg[i + 1])), i + 2
    else
      fail("unknown option " .. arg[i], 64)
    end
  end
  return at_once, real
end

local function open(path, mode)
  local file, why = io.open(path, mode)
  return file or fail(why, 1)
end

local source, target = arg[1], arg[2]
local at_once, real = options()
if not target or not at_once or at_once < 1 then
  fail("usage: batch.lua questions.csv answers.csv [--at-once N] [--real]", 64)
end

local panel = curia.council "panel" {
  profile = "fast",
  curia.member "optimist" { system = "You see what could go right." },
  curia.member "skeptic" { system = "You see what could go wrong." },
  curia.round "independent_analysis" {},
  curia.chair { system = "Answer in one sentence." },
}

-- ---- CSV (RFC 4180): cells in quotes may hold commas, quotes and line ends --------------------------

-- The cell that begins at `at`, and where it ends.
local function cell_at(text, at)
  if text:sub(at, at) ~= '"' then return text:match("^([^,\n]*)()", at) end
  local from = at + 1
  while true do
    local quote = text:find('"', from, true) or #text + 1
    if text:sub(quote + 1, quote + 1) ~= '"' then return (text:sub(at + 1, quote - 1):gsub('""', '"')), quote + 1 end
    from = quote + 2
  end
end

local function parse(text)
  local rows, row, at = {}, {}, 1
  text = text:gsub("^\239\187\191", ""):gsub("\r\n", "\n")
  while at <= #text do
    local cell, stop = cell_at(text, at)
    row[#row + 1] = cell
    if text:sub(stop, stop) ~= "," then
      if #row > 1 or cell ~= "" then rows[#rows + 1] = row end -- an empty line is no question
      row = {}
    end
    at = stop + 1
  end
  return rows
end

local function quoted(text)
  return '"' .. tostring(text):gsub('"', '""') .. '"'
end

-- ---- the work ---------------------------------------------------------------------------------------

local file = open(source, "rb")
local rows = parse(file:read "a")
file:close()
local first = rows[1] and rows[1][1]:lower():find "question" and 2 or 1
local out = open(target, "wb")
out:write("question,answer,status,usd\n")

local done, total, failed, stopped = 0, #rows - first + 1, 0, false

local function show()
  local width = 30
  local filled = total > 0 and done * width // total or width
  io.stderr:write(("\r[%s%s] %d of %d%s"):format(("#"):rep(filled), ("."):rep(width - filled), done, total,
    failed > 0 and (", %d failed"):format(failed) or ""))
end

local function ask(question)
  local result, err = curia.run(panel, question, { offline = not real, deadline_ms = 120000 })
  local answer = result and result.final and result.final.content or tostring(err)
  if not (result and result.final) then failed = failed + 1 end
  out:write(table.concat({ quoted(question), quoted(answer), result and result.status or "error",
    result and result.cost and result.cost.usd or "" }, ","), "\n")
  out:flush()
  done = done + 1
  show()
end

local following = first - 1
local function worker()
  while not stopped and following < #rows do
    following = following + 1
    ask(rows[following][1])
  end
end

local signal = uv.new_signal()
signal:start("sigint", function() stopped = true end)
show()
local workers = {}
for i = 1, at_once do workers[i] = worker end
task.all(workers)
signal:close()
out:close()
io.stderr:write(("\n%d answers are in %s%s\n"):format(done, target, stopped and " (stopped)" or ""))
os.exit(failed == 0 and not stopped and 0 or 1)
