local curia = require "curia"
local helper = require "spec.helper"
local T = require "spec.engine.support"
local verbose = require "curia.verbose"

local function lines_of(level, body, opts)
  local lines = {}
  opts = opts or {}
  opts.verbose, opts.verbose_to = level, function(line) lines[#lines + 1] = line end
  T.ask(body, "Why?", opts)
  return lines
end

local function without_times(lines)
  local texts = {}
  for i, line in ipairs(lines) do texts[i] = line:gsub("^%s*[%d.]+  ", ""):gsub("%d+%.%d s", "T s") end
  return texts
end

describe("verbose", function()
  it("prints a line for each event", function()
    T.answers { a = { content = "yes", usage = { input_tokens = 7, output_tokens = 9 } },
      b = { error = { status = 401, message = "No such key." } }, chair = "end" }
    local lines = without_times(lines_of(true, { ids = { "a", "b" }, chair = true }))
    assert.same({
      "run of spec started",
      "round 1: independent_analysis",
      "a asked (m)", "b asked (m)",
    }, { table.unpack(lines, 1, 4) })
    local text = table.concat(lines, "\n")
    assert.matches("a ok in T s, 7 in, 9 out", text)
    assert.matches("b error: test: 401 auth: No such key%.", text)
    assert.matches("round 1 done in T s", text)
    assert.matches("run partial in T s", lines[#lines])
  end)

  it("tells of tools", function()
    T.script(function(request)
      if request.messages[#request.messages].role == "tool" then return "done" end
      return { tool_calls = { { name = "echo", arguments = {} }, { name = "ecko", arguments = {} } } }
    end)
    local echo = curia.tool "echo" { run = function() return "hello" end }
    local text = table.concat(without_times(lines_of(true, { ids = { "a" }, tools = { echo } })), "\n")
    for _, line in ipairs { "a calls echo", "a: echo gave 5 bytes in T s", "a: ecko failed: unknown tool 'ecko'" } do
      assert.matches(line, text, nil, true)
    end
    lines_of(true, { ids = { "a" }, tools = { echo }, run = function(ctx) return ctx:tool "echo" end })
  end)

  it("begins each line with the time since the start", function()
    helper.virtual(function()
      T.script { content = "yes", delay_ms = 1500 }
      local lines = lines_of(true, { ids = { "a" } })
      assert.matches("^   0%.000  run of spec", lines[1])
      assert.matches("^   1%.500  a ok in 1%.5 s", lines[4])
    end)
  end)

  it("tells which model is asked instead", function()
    helper.virtual(function()
      T.answers { a = { { error = { status = 400, message = "No." } }, "yes" } }
      local text = table.concat(lines_of(true, { ids = { "a" }, members = { a = { fallback = { { model = "n" } } } } }), "\n")
      assert.matches("a goes on with n: test: 400", text)
    end)
  end)

  it("tells retries, skipped members, log lines and failures", function()
    helper.virtual(function()
      T.answers { a = { { error = { status = 503, message = "Busy." } }, "yes" }, b = "yes" }
      local text = table.concat(lines_of(true, { ids = { "a", "b" }, router = function(_, ctx)
        ctx:log("warn", "only a")
        return { "a" }
      end }), "\n")
      assert.matches("a tries again in %d+%.%d s: test: 503", text)
      assert.matches("a ok in .*, attempt 2", text)
      assert.matches("b skipped: router_excluded", text)
      assert.matches("warn: only a", text)
      text = table.concat(lines_of(true, { run = function() error "broken" end }), "\n")
      assert.matches("run failed: script: .*broken", text)
    end)
  end)

  it("'debug' adds prompts and bodies, cut at 800 characters", function()
    T.script(("long words "):rep(200))
    local text = table.concat(lines_of("debug", { ids = { "a" }, members = { a = { system = "Be brief." } } }), "\n")
    assert.matches("%-> a: system: Be brief%. | user: Why%?", text)
    local body = text:match "<%- a: ([^\n]+)"
    assert.equal(800 + #" ...", #body)
    assert.is_nil(table.concat(lines_of(true, { ids = { "a" } }), "\n"):find("long words", 1, true))
  end)

  it("cuts no character in half", function()
    T.script(("é"):rep(1000) .. " x")
    local body = table.concat(lines_of("debug", { ids = { "a" } }), "\n"):match "<%- a: ([^\n]+)"
    assert.is_truthy(utf8.len(body))
    T.script("x" .. ("é"):rep(1000) .. " x")
    body = table.concat(lines_of("debug", { ids = { "a" } }), "\n"):match "<%- a: ([^\n]+)"
    assert.is_truthy(utf8.len(body))
  end)

  it("has no line for tokens", function()
    assert.is_nil(verbose.line({ type = "member_token", at = 0, text = "x" }, 0))
    assert.same({}, verbose.lines({ type = "member_token", at = 0, text = "x" }, 0, true))
  end)

  it("writes to files, stderr by default", function()
    local path = os.tmpname()
    finally(function() os.remove(path) end)
    local file = assert(io.open(path, "w"))
    T.script "yes"
    T.ask({}, "Why?", { verbose = true, verbose_to = file })
    file:close()
    local text = io.open(path):read "a"
    assert.matches("run of spec started\n", text)
    local out = helper.script [[
      local curia = require "curia"
      local council = curia.council "x" { members = { { id = "a", run = function() return "yes" end } },
        rounds = { { type = "independent_analysis" } } }
      io.stdout:close()
      curia.run(council, "Why?", { verbose = true })
    ]]
    assert.matches("run of x started", out)
    assert.matches("a asked %(no model%)", out)
  end)

  it("can be attached later, and detached", function()
    helper.virtual(function()
      T.script { content = "yes", delay_ms = 100 }
      local lines = {}
      local run = curia.start(T.council {}, "Why?")
      require("curia.task").sleep(10)
      local trace = run:trace { to = function(line) lines[#lines + 1] = line end }
      require("curia.task").sleep(0)
      assert.equal(5, #lines)
      trace:stop()
      run:await()
      assert.equal(5, #lines)
      assert.has_error(function() run:trace { level = "debug" } end)
    end)
  end)

  it("hides secrets", function()
    require("curia.redact").add "very-secret-text-42"
    T.script "yes"
    local text = table.concat(lines_of("debug", { ids = { "a" }, members = { a = { system = "Use very-secret-text-42." } } }), "\n")
    assert.is_nil(text:find("very-secret", 1, true))
    assert.matches("%[secret%]", text)
  end)

  it("numbers samples and iterations", function()
    T.script "yes"
    local text = table.concat(without_times(lines_of(true, { ids = { "a" }, rounds = { { type = "sample", samples = 2 },
      { type = "iterate", round = "independent_analysis", max_iterations = 1 } } })), "\n")
    for _, line in ipairs { "a #2 asked (m)", "a #2 ok in T s", "a ok in T s", "round 2: independent_analysis #1", "round 2 #1 done in" } do
      assert.is_truthy(text:find(line, 1, true), line)
    end
  end)
end)
