local json = require "curia.json"
local program = require "spec.cli.program"
local support = require "spec.otlp.support"

local HERE = [[
require("curia").config { providers = { here = { adapter = "scripted", model = "s-1", script = {
  rules = {
    { match = { member = "broken" }, answer = { error = { status = 401, message = "who are you?" } } },
    { match = { member = "slow" }, answer = { content = "late", delay_ms = 60000 } },
  },
  default = "an answer\27[31m of a member",
} } } }
]]

local function council(body, fn)
  local path = program.file(HERE .. body)
  local results = table.pack(pcall(fn, path))
  os.remove(path)
  return select(2, assert(table.unpack(results, 1, results.n)))
end

local GOOD = [[council "good" { member "a" { provider = "here" },
  round "independent_analysis" {}, chair { provider = "here" } }]]
local MIXED = [[council "mixed" { member "a" { provider = "here" }, member "broken" { provider = "here" },
  round "independent_analysis" {}, chair { provider = "here" } }]]
local BROKEN = 'council "broken" { member "broken" { provider = "here" }, round "independent_analysis" {} }'
local SLOW = [[council "slow" { member "a" { provider = "here" }, member "slow" { provider = "here" },
  round "independent_analysis" {} }]]

local ECHO = [[council "echo" { round "independent_analysis" {},
  member "a" { run = function(_, input) return input.question .. "/" .. tostring(input.n) end } }]]

local CAREFUL = [[
require("curia").config { providers = { careful = { adapter = "scripted", model = "s-1", script = function(request)
  local last = request.messages[#request.messages]
  return last.role == "tool" and last.content or { tool_calls = { { name = "delete", arguments = {} } } }
end } } }
council "careful" { round "independent_analysis" {}, member "a" { provider = "careful", tools = {
  tool "delete" { approval = true, run = function() return "deleted" end } } } }]]

-- The reader of the events ends before the first of them comes.
local UNREAD = '{ sleep 0.1; "$0" run "$1" Why --events; echo "code $?" >&2; } | true'

describe("curia run", function()
  it("keeps its runs, unless it is told not to, and says in one line when it cannot", function()
    local home = os.tmpname()
    os.remove(home)
    local function env(store) return { CURIA_RECORDER = "true", CURIA_STORE = "sqlite:" .. store } end
    council(GOOD, function(path)
      assert(require "luv".fs_mkdir(home, 448))
      assert.equal(0, (program.run({ "run", path, "Why?", "--no-record" }, { env = env(home .. "/a.db") })))
      assert.is_nil(require "luv".fs_stat(home .. "/a.db"))
      assert.equal(0, (program.run({ "run", path, "Why?" }, { env = env(home .. "/a.db") })))
      assert.is_truthy(require "luv".fs_stat(home .. "/a.db"))
      local code, out, err = program.run({ "run", path, "Why?" }, { env = env(home .. "/none/a.db") })
      assert.same({ 0, "an answer\27[31m of a member\n" }, { code, out })
      assert.equal(1, select(2, err:gsub("this run is not recorded: [^\n]*none/a.db", "")))
      assert.is_nil(err:find("warn", 1, true))
    end)
    os.execute("rm -r '" .. home .. "'")
  end)

  it("puts the answer on standard output, byte by byte, and everything else on standard error", function()
    council(GOOD, function(path)
      local code, out, err = program.run { "run", path, "Why?" }
      assert.same({ 0, "an answer\27[31m of a member\n" }, { code, out })
      assert.truthy(err:find("good: Why?\n", 1, true))
      assert.truthy(err:find("round 1 of 2: independent_analysis", 1, true))
      assert.truthy(err:find("\ncost       unknown\n", 1, true))
      assert.is_nil(err:find("\27", 1, true))
    end)
  end)

  it("exports traces where the configuration says so, before it ends", function()
    local collector <close> = support.collector()
    local exported = ('require("curia").config { otlp = { endpoint = %q, interval = "1h" } }\n'):format(collector.url)
    council(exported .. GOOD, function(path)
      assert.equal(0, (program.run { "run", path, "Why?" }))
      assert.equal("invoke_workflow good", collector:span("invoke_workflow good").name)
      assert.equal("invoke_agent a", collector:span("invoke_agent a").name)
    end)
    council(GOOD, function(path)
      local before = #collector.requests
      local env = { CURIA_OTLP = "true", OTEL_EXPORTER_OTLP_ENDPOINT = collector.url }
      assert.equal(0, (program.run({ "run", path, "Why?" }, { env = env })))
      assert.is_true(#collector.requests > before)
    end)
  end)

  it("answers also where nothing can be exported, and says so", function()
    council(GOOD, function(path)
      local code, out, err = program.run({ "run", path, "Why?" },
        { env = { CURIA_OTLP = "true", OTEL_EXPORTER_OTLP_ENDPOINT = "nowhere" } })
      assert.same({ 0, "an answer\27[31m of a member\n" }, { code, out })
      assert.truthy(err:find("the endpoint must be an http or https address, such as http://localhost:4318; nothing is", 1, true))
      code, out, err = program.run({ "run", path, "Why?" },
        { env = { CURIA_OTLP = "true", OTEL_EXPORTER_OTLP_ENDPOINT = "http://127.0.0.1:9" } })
      assert.same({ 0, "an answer\27[31m of a member\n" }, { code, out })
      assert.truthy(err:find("otlp: spans and metrics are lost", 1, true))
    end)
  end)

  it("refuses what needs approval, and says so", function()
    council(CAREFUL, function(path)
      local code, out, err = program.run { "run", path, "Why?" }
      assert.same({ 0, "Error: the call of delete was refused: nobody is there to approve it\n" }, { code, out })
      assert.truthy(err:find("delete needs approval, and nobody can give it here: refused", 1, true))
    end)
  end)

  it("refuses it also inside of a council that is a member", function()
    local nested = CAREFUL:gsub('council "careful"', 'local inner = council "careful"', 1)
      .. '\ncouncil "outer" { round "independent_analysis" {}, member "panel" { council = inner } }'
    council(nested, function(path)
      local code, out, err = program.run { "run", path .. "#outer", "Why?" }
      assert.same({ 0, "Error: the call of delete was refused: nobody is there to approve it\n" }, { code, out })
      assert.truthy(err:find("  panel > a: delete waits for approval\ndelete needs approval", 1, true), err)
      code, out = program.run { "run", path .. "#outer", "Why?", "--events" }
      assert.equal(0, code)
      assert.is_nil(out:find('"parent_run_id":"', 1, true))
    end)
  end)

  it("says nothing else with --quiet", function()
    council(GOOD, function(path)
      assert.same({ 0, "an answer\27[31m of a member\n", "" }, { program.run { "run", path, "Why?", "--quiet" } })
    end)
  end)

  it("tells with --quiet too why there is no answer", function()
    council(BROKEN, function(path)
      local code, out, err = program.run { "run", path, "Why?", "-q" }
      assert.same({ 1, "", "curia: failed: broken: the key was refused: who are you? (HTTP 401)\n" }, { code, out, err })
    end)
  end)

  it("ends with 2 where somebody is missing, with 1 where there is no answer", function()
    council(MIXED, function(path)
      local code, out, err = program.run { "run", path, "Why?" }
      assert.equal(2, code)
      assert.truthy(#out > 0)
      assert.truthy(err:find(
        "no answer  broken in independent_analysis: the key was refused: who are you? (HTTP 401)", 1, true))
    end)
    council(BROKEN, function(path)
      local code, out, err = program.run { "run", path, "Why?" }
      assert.same({ 1, "" }, { code, out })
      assert.truthy(err:find("failed     there is no final answer", 1, true))
    end)
  end)

  it("writes one document with --json, also when it fails", function()
    council(MIXED, function(path)
      local result = json.decode((select(2, program.run { "run", path, "Why?", "--json" })))
      assert.same({ "partial", "Why?" }, { result.status, result.input.question })
      assert.equal("auth", result.rounds[1].results.broken.error.kind)
    end)
    council('council "bad" { member "a" { modle = 1 }, round "independent_analysis" {} }', function(path)
      local code, out, err = program.run { "run", path, "Why?", "--json" }
      assert.same({ 1, "invalid_council" }, { code, json.decode(out).errors[1].kind })
      assert.truthy(err:find("members[1].modle: unknown_field: ", 1, true))
    end)
  end)

  it("writes each event as a line with --events", function()
    council(GOOD, function(path)
      local code, out, err = program.run { "run", path, "Why?", "--events" }
      local seq, last = 0, nil
      for line in out:gmatch("[^\n]+") do
        last = json.decode(line)
        if last.type ~= "member_token" then
          seq = seq + 1
          assert.equal(seq, last.seq)
        end
      end
      assert.same({ 0, "run_completed", "" }, { code, last.type, err })
    end)
  end)

  it("tells a timeline with --verbose", function()
    council(GOOD, function(path)
      local _, _, err = program.run { "run", path, "Why?", "--verbose" }
      assert.truthy(err:find("0.000  run of good started", 1, true))
    end)
  end)

  it("gives the same run the same seed", function()
    council(GOOD, function(path)
      local result = json.decode((select(2, program.run { "run", path, "Why?", "--json", "--seed", "42" })))
      assert.equal(42, result.metadata.seed)
    end)
  end)

  it("takes other models for members", function()
    council(GOOD, function(path)
      local result = json.decode((select(2, program.run { "run", path, "Why?", "--json", "--model", "a=here/s-2" })))
      assert.equal("s-2", result.rounds[1].results.a.model)
      local code, _, err = program.run { "run", path, "Why?", "--model", "b=here/s-2" }
      assert.equal(1, code)
      assert.truthy(err:find("no member has the id 'b'", 1, true))
    end)
  end)

  it("takes its input from everywhere", function()
    council(ECHO, function(path)
      local function answer(args, stdin)
        return (select(2, program.run({ "run", path, table.unpack(args) }, { stdin = stdin })))
      end
      assert.equal("one two/nil\n", answer { "one", "two" })
      assert.equal("one/3\n", answer { "one", "--set", "n=3" })
      assert.equal("a\nb/nil\n", answer({ "-i", "-" }, "a\nb\n\n"))
      assert.equal("q/7\n", answer({ "-i", "-" }, '{"question": "q", "n": 7}'))
    end)
  end)

  it("ends in time", function()
    council(SLOW, function(path)
      local code, _, err = program.run { "run", path, "Why?", "--deadline", "200ms" }
      assert.equal(1, code)
      assert.truthy(err:find("the time is up", 1, true))
    end)
  end)

  it("spends no more than it may", function()
    local code, _, err = program.run({ "run", "panel", "Why?", "--budget-usd", "0.000001" },
      { env = { OPENAI_API_KEY = "sk-budget-0123456789", OPENAI_BASE_URL = "http://127.0.0.1:9" } })
    assert.equal(1, code)
    assert.truthy(err:find("1e-06 US dollars are all that the run may use", 1, true))
  end)

  it("is cancelled by Ctrl-C and prints what there is", function()
    council(SLOW, function(path)
      local code, out, err = program.run({ "run", path, "Why?", "--json" }, { meanwhile = function(child)
        program.wait_for(child, "a: done")
        child.handle:kill("sigint")
      end })
      assert.equal(130, code)
      assert.equal("ok", json.decode(out).rounds[1].results.a.status)
      assert.truthy(err:find("slow: cancelled: stopped with Ctrl-C", 1, true))
    end)
  end)

  it("is stopped at once by a second signal, and says so in plain words", function()
    local server = assert(require "curia.mock".start { script = { content = "late", delay_ms = 60000 } })
    local store = program.file("", ".db")
    local env = {
      CURIA_STORE = "sqlite:" .. store, OPENAI_BASE_URL = server.url .. "/v1", OPENAI_API_KEY = "any",
    }
    local code, _, err = program.run({ "run", "panel", "Why?", "--durable" }, { env = env, meanwhile = function(child)
      while server:stats().requests == 0 do require "curia.task".sleep(5) end
      child.handle:kill "sigint"
      child.handle:kill "sigterm"
    end })
    server:close()
    for _, ending in ipairs { "", "-wal", "-shm" } do os.remove(store .. ending) end
    os.execute(("rm -rf '%s.nodes'"):format(store))
    assert.equal(130, code)
    assert.matches("\ncuria: stopped\n$", err)
  end)

  it("ends a run whose events nobody reads", function()
    council(GOOD, function(path)
      local _, _, err = program.command("/bin/sh", { "-c", UNREAD, require "luv".exepath(), path })
      assert.truthy(err:find("code 1\n", 1, true))
    end)
  end)

  it("asks nobody with --offline, and says so everywhere", function()
    local code, out, err = program.run { "run", "panel", "Why?", "--offline" }
    assert.equal(0, code)
    assert.truthy(#out > 0)
    local _, marks = err:gsub("OFFLINE: scripted answers, no model was asked\n", "")
    assert.equal(2, marks)
    local result = json.decode((select(2, program.run { "run", "panel", "Why?", "--offline", "--json" })))
    assert.is_true(result.metadata.offline)
  end)

  it("names what is missing where nobody can be asked", function()
    local code, out, err = program.run({ "run", "panel", "Why?" }, { env = { OLLAMA_HOST = false } })
    if code ~= 1 then return pending("an Ollama runs on this machine") end
    assert.same({ 1, "" }, { code, out })
    for _, text in ipairs { "OPENAI_API_KEY", "OPENROUTER_API_KEY", "127.0.0.1:11434", "--offline" } do
      assert.truthy(err:find(text, 1, true), text)
    end
    local document = json.decode((select(2, program.run { "run", "panel", "Why?", "--json" })))
    assert.equal("auth", document.errors[1].kind)
  end)

  it("goes on offline with --or-offline, after saying what is missing", function()
    local code, out, err = program.run { "run", "panel", "Why?", "--or-offline" }
    assert.equal(0, code)
    assert.truthy(#out > 0)
    assert.truthy(err:find("nobody answers", 1, true))
    assert.truthy(err:find("OFFLINE", 1, true))
  end)

  it("asks with --or-offline where somebody can be asked", function()
    council(GOOD, function(path)
      local _, out, err = program.run { "run", path, "Why?", "--or-offline" }
      assert.truthy(out:find("an answer", 1, true))
      assert.is_nil(err:find("OFFLINE", 1, true))
    end)
  end)

  it("says what is wrong with its arguments, with 64", function()
    local cases = {
      { {}, "the council is missing" },
      { { "nowhere", "Q" }, "no council 'nowhere'" },
      { { "panel" }, "the question is missing" },
      { { "panel", "Q", "--ofline" }, "did you mean '--offline'?" },
      { { "panel", "Q", "--json", "--quiet" }, "exclude each other" },
      { { "panel", "Q", "--deadline", "soon" }, "--deadline soon: a number with its unit is expected" },
      { { "panel", "Q", "--budget-usd", "-1" }, "--budget-usd -1: an amount, 0 or more, is expected" },
      { { "panel", "Q", "--model", "x" }, "MEMBER=PROVIDER/MODEL is expected" },
      { { "panel", "-i", "/nowhere" }, "No such file" },
    }
    for _, case in ipairs(cases) do
      local code, out, err = program.run { "run", table.unpack(case[1]) }
      assert.same({ 64, "" }, { code, out }, case[2])
      assert.truthy(err:find(case[2], 1, true), err)
    end
  end)

  it("names file and line of a council that does not load", function()
    council("\nfoo(", function(path)
      local code, _, err = program.run { "run", path, "Q" }
      assert.equal(1, code)
      assert.truthy(err:find("curia: " .. path .. ":", 1, true))
    end)
  end)
end)
