-- Councils and adapters against @copilotkit/aimock, a mock of every provider that others wrote.
-- Without node or the package the tests are pending; `.ci/run` installs it, and so does
--
--     mkdir -p build/integration && cp spec/integration/package*.json build/integration/
--     (cd build/integration && npm ci)
local asking = require "spec.integration.ask"
local curia = require "curia"
local helper = require "spec.helper"
local profiles = require "spec.councils"
local task = require "curia.task"
local uv = require "luv"

local PROGRAM = "build/integration/node_modules/@copilotkit/aimock/dist/cli.js"
local START_MS = 60000

local missing = not uv.fs_stat(PROGRAM) and "npm has not installed @copilotkit/aimock (see the head of this file)"
  or not os.execute("command -v node >/dev/null 2>&1") and "node is not installed"

if missing then
  pending("councils against aimock: " .. missing)
  return
end

-- ---- the server ------------------------------------------------------------------------------------

local server

-- Starts aimock on a free port and waits for the line that names its address.
local function start()
  local out, told, text = uv.new_pipe(false), task.signal(), ""
  local process = assert(uv.spawn("node", {
    args = { PROGRAM, "-p", "0", "-f", "spec/integration/aimock.json" }, stdio = { nil, out },
  }, function() told:notify() end))
  server = { process = process, out = out }
  out:read_start(function(_, data)
    text = text .. (data or "")
    server.url = server.url or text:match("listening on (http://%S+)")
    if server.url or not data then told:notify() end
  end)
  helper.run(function()
    local deadline = uv.hrtime() + START_MS * 1e6
    while not server.url and uv.hrtime() < deadline do told:wait(100) end
  end, START_MS)
  assert(server.url, "aimock did not start: " .. text)
end

local function stop()
  server.process:kill("sigterm")
  server.process:close()
  server.out:close()
end

-- ---- asking ----------------------------------------------------------------------------------------

local ANSWER = "An answer from somebody else's mock: äöü 🌧."

local function question(text, fields)
  fields.messages = { { role = "user", content = text } }
  return fields
end

local function ask(name, fields, headers)
  return asking.ask(name, server.url, fields, headers)
end

-- The provider of a protocol, under a name that no other spec uses.
local function provider(protocol, headers)
  local name = "aimock_" .. protocol .. (headers and "_chaos" or "")
  curia.config { providers = { [name] = {
    adapter = protocol, base_url = server.url .. asking.bases[protocol], headers = headers,
  } } }
  return name
end

local function member(id, protocol, fields)
  local made = { provider = provider(protocol), model = "m", system = "You are the " .. id .. "." }
  for name, value in pairs(fields or {}) do made[name] = value end
  return curia.member(id)(made)
end

local function run(council, input, opts)
  return helper.run(function() return curia.run(council, input, opts) end)
end

describe("aimock", function()
  setup(start)
  teardown(stop)

  -- Its answers are no ballots: those are discarded, and say so; nothing fails.
  it("answers every council of councils/", function()
    local scan = uv.fs_scandir "councils"
    for file in function() return uv.fs_scandir_next(scan) end do
      local result = profiles.on(provider "openai_chat", function()
        return run(assert(curia.load("councils/" .. file)), "Should we ship on Friday?", { seed = 1 })
      end)
      assert.equal("ok", result.status, file)
      assert.same({}, result.errors, file)
    end
  end)

  describe("is asked through every adapter:", function()
    it("answers", function()
      asking.each(function(name, fields, what)
        local response, err = ask(name, question("hello", fields))
        assert.is_nil(err, what)
        assert.same({ ANSWER, "stop" }, { response.content, response.finish_reason }, what)
      end)
    end)

    it("answers piece by piece", function()
      asking.each(function(name, fields, what)
        local response = assert(ask(name, question("slowly", fields)))
        assert.equal("One piece after the other, äöü 🌧.", response.content, what)
      end)
    end)

    it("reasoning", function()
      asking.each(function(name, fields, what)
        local response = assert(ask(name, question("think", fields)))
        assert.equal("Forty-two, äöü 🌧.", response.content, what)
        if name ~= "ollama" then assert.equal("Six by nine.", response.reasoning, what) end -- aimock sends none there
      end)
    end)

    it("an answer that was too long", function()
      asking.each(function(name, fields, what)
        local response = assert(ask(name, question("too long", fields)))
        if name ~= "ollama" then assert.equal("length", response.finish_reason, what) end -- aimock says "stop" there
      end)
    end)

    it("tool calls", function()
      local tool = { name = "get_weather", about = "the weather",
        parameters = { type = "object", properties = { city = { type = "string" } } } }
      asking.each(function(name, fields, what)
        fields.tools = { tool }
        local response, err = ask(name, question("weather", fields))
        -- aimock ends them with FUNCTION_CALL, a reason that Gemini does not have
        if name == "gemini" and not response then return assert.equal("FUNCTION_CALL", err.code) end
        assert.is_nil(err, what)
        assert.equal("tool_calls", response.finish_reason, what)
        assert.same({ city = "Oslo", note = "äöü 🌧" }, response.tool_calls[1].arguments, what)
        assert.equal("get_time", response.tool_calls[2].name, what)
      end)
    end)

    it("errors", function()
      local cases = {
        ["rate limited"] = { "rate_limited", 429, "Slow down, please.", 2000 },
        ["overloaded"] = { "overloaded", 503, "We are overloaded." },
        ["wrong key"] = { "auth", 401, "That key is wrong." },
      }
      for text, expected in pairs(cases) do
        asking.each(function(name, fields, what)
          local response, err = ask(name, question(text, fields))
          assert.is_nil(response, what)
          assert.same(expected, { err.kind, err.status, err.reason, err.retry_after_ms }, what)
        end)
      end
    end)

    it("streams that are cut", function()
      for _, name in ipairs(asking.protocols) do
        local response, err = ask(name, question("cut off", { stream = true }))
        assert.is_nil(response, name)
        assert.equal("transient", err.kind, name)
      end
    end)

    it("chaos", function()
      local cases = {
        drop = { "transient", 500 }, malformed = { "transient", 200, "unreadable_body" },
        ratelimit = { "rate_limited", 429 }, disconnect = { "transient" },
      }
      for chaos, expected in pairs(cases) do
        asking.each(function(name, fields, what)
          local response, err = ask(name, fields, { ["x-aimock-chaos-" .. chaos] = "1" })
          assert.is_nil(response, what)
          assert.same({ expected[1], expected[2] }, { err.kind, err.status }, what .. " " .. chaos)
          if expected[3] then assert.equal(expected[3], err.code, what) end
        end)
      end
    end)
  end)

  describe("serves councils:", function()
    -- Three vendors, three rounds and a chair of a fourth one.
    local function review(stream)
      local fields = { stream = stream }
      return curia.council "review" {
        member("first", "openai_chat", fields),
        member("second", "anthropic", fields),
        member("third", "gemini", fields),
        curia.round "independent_analysis" {}, curia.round "anonymized_peer_review" {}, curia.round "critique" {},
        chair = { provider = provider "ollama", model = "m", system = "You are the chair.", stream = stream },
      }
    end

    it("three stages and a chair, whole and streamed", function()
      for _, stream in ipairs { false, true } do
        local tokens = {}
        local result, err = run(review(stream), "Ship on Friday?", { subscribe = function(event)
          if event.type ~= "member_token" then return end
          local key = event.round .. "/" .. event.member
          tokens[key] = (tokens[key] or "") .. event.text
        end })
        assert.is_nil(err)
        assert.equal("ok", result.status)
        assert.equal("The council says: ship it, äöü 🌧.", result.final.content)
        assert.equal(ANSWER, result.rounds[1].results.third.response.content)
        assert.equal("third", result.rounds[2].decision.winner)
        assert.same(stream and ANSWER or nil, tokens["independent_analysis/second"])
      end
    end)

    it("all six protocols at one table", function()
      local members = {}
      for i, protocol in ipairs(asking.protocols) do
        members[i] = member(protocol, protocol, { stream = i % 2 == 0 })
      end
      members[#members + 1] = curia.round "independent_analysis" {}
      members[#members + 1] = curia.round "peer_review" {}
      local result = run(curia.council "table" (members), "Hello?")
      assert.equal("ok", result.status)
      for _, protocol in ipairs(asking.protocols) do
        for _, round in ipairs(result.rounds) do
          assert.equal(ANSWER, round.results[protocol].response.content, protocol)
        end
      end
    end)

    it("one member meets chaos, the others' answers are kept", function()
      for chaos, kind in pairs { drop = "transient", malformed = "transient", disconnect = "transient" } do
        local broken = provider("openai_chat", { ["x-aimock-chaos-" .. chaos] = "1" })
        local result = run(curia.council "chaos" {
          member("first", "anthropic"),
          member("second", "openai_chat", { provider = broken, retry = { attempts = 2, base_ms = 1, max_ms = 2 } }),
          curia.round "independent_analysis" {},
          chair = { provider = provider "openai_responses", model = "m", system = "You are the chair." },
        }, "Hello?")
        local results = result.rounds[1].results
        assert.equal("partial", result.status, chaos)
        assert.equal(ANSWER, results.first.response.content)
        assert.same({ "error", kind, 2 }, { results.second.status, results.second.error.kind, results.second.attempts })
      end
    end)

    it("a member that takes too long", function()
      local slow = provider("openai_chat", { ["x-aimock-chaos-latency"] = "2000" })
      local result = run(curia.council "slow" {
        member("first", "ollama"),
        member("second", "openai_chat", { provider = slow, first_byte_timeout_ms = 100, retry = { attempts = 1 } }),
        curia.round "independent_analysis" {},
      }, "Hello?")
      local results = result.rounds[1].results
      assert.same({ "timeout", "timeout" }, { results.second.status, results.second.error.kind })
      assert.equal(ANSWER, results.first.response.content)
    end)
  end)
end)
