local curia = require "curia"
local helper = require "spec.helper"
local mock = require "curia.mock"
local T = require "spec.engine.support"
local task = require "curia.task"

local LETTERS = {}
for i = 1, 26 do LETTERS[i] = string.char(96 + i) end
local ALPHABET = table.concat(LETTERS)

local function serve(script)
  local server = assert(mock.start { script = script })
  curia.config { providers = { net = { adapter = "openai_chat", base_url = server.url .. "/v1", api_key = "sk-call-0123456789" } } }
  return setmetatable({ mock = server, url = server.url }, { __close = function() server:close() end })
end

local function council(fields)
  local member = { id = "a", provider = "net", model = "m", retry = { attempts = 1 } }
  for name, value in pairs(fields or {}) do member[name] = value end
  return curia.council "call" { members = { member }, rounds = { { type = "independent_analysis" } } }
end

-- Follows a run's tokens and checks that they have neither gaps nor repetitions.
local function follower()
  local heard = { content = "", reasoning = "", pieces = 0 }
  return heard, function(event)
    if event.type ~= "member_token" then return end
    assert.equal(#heard[event.kind], event.index)
    heard[event.kind] = heard[event.kind] .. event.text
    heard.pieces = heard.pieces + 1
    heard.finish_reason = event.finish_reason
  end
end

describe("a call over HTTP", function()
  it("gives the response with usage, model and the body as it came", function()
    local server <close> = serve { content = "yes", usage = { input_tokens = 3, output_tokens = 4 }, model = "m-1" }
    helper.run(function()
      local result = curia.run(council {}, "Why?").rounds[1].results.a
      assert.same({ "ok", "yes", "m-1", "net" }, { result.status, result.response.content, result.model, result.provider })
      assert.same({ 3, 4 }, { result.response.usage.input_tokens, result.response.usage.output_tokens })
      assert.equal("yes", curia.json.decode(result.response.raw).choices[1].message.content)
    end)
    assert.equal(1, server.mock:stats().requests)
  end)

  it("asks no provider for log probabilities that is known to refuse", function()
    local server <close> = serve "yes"
    helper.run(function()
      curia.run(council { confidence = "logprob" }, "Why?")
      curia.config { providers = { net = { logprobs = false } } }
      local result = curia.run(council { confidence = "logprob" }, "Why?").rounds[1].results.a
      assert.matches("no log probabilities", result.metadata.confidence_note)
      curia.config { providers = { net = { logprobs = true } } }
    end)
    local asked = server.mock:requests()
    assert.is_true(asked[1].body.logprobs)
    assert.is_nil(asked[2].body.logprobs)
  end)

  it("streams to those that watch, piece by piece", function()
    local server <close> = serve { reasoning = "hm", stream = LETTERS, chunk_delay_ms = 2 }
    helper.run(function()
      local heard, hear = follower()
      local result = curia.run(council { stream = true }, "Why?", { subscribe = hear })
      assert.equal(ALPHABET, result.final.content)
      assert.equal(ALPHABET, heard.content)
      assert.equal("hm", heard.reasoning)
      assert.is_true(heard.pieces > 5)
      assert.equal("stop", heard.finish_reason)
    end)
    assert.equal(1, server.mock:stats().requests)
  end)

  it("gives the same answer when nobody watches", function()
    local server <close> = serve { reasoning = "hm", stream = LETTERS, chunk_delay_ms = 2 }
    helper.run(function()
      local result = curia.run(council { stream = true }, "Why?")
      local member = result.rounds[1].results.a
      assert.equal(ALPHABET, result.final.content)
      assert.equal("hm", result.final.reasoning)
      assert.is_true(member.first_token_ms < member.duration_ms - 20)
    end)
    server.mock:stats()
  end)

  it("tells those that come late all that was said so far, then what follows, with right offsets", function()
    local server <close> = serve { reasoning = "hm", stream = LETTERS, chunk_delay_ms = 4 }
    helper.run(function()
      for _ = 1, 3 do
        local run, late = curia.start(council { stream = true }, "Why?"), {}
        for i = 1, 12 do
          task.sleep(9)
          local heard, hear = follower()
          late[i] = heard
          local subscription = run:subscribe(hear)
          if i % 3 == 0 then subscription:stop() end
        end
        run:await()
        task.sleep(0)
        for i, heard in ipairs(late) do
          if i % 3 ~= 0 and heard.pieces > 0 then assert.equal(ALPHABET, heard.content) end
        end
        assert.equal(ALPHABET, late[1].content)
      end
    end)
    server.mock:stats()
  end)

  it("counts the bytes that nobody watched", function()
    local server <close> = serve { stream = LETTERS, chunk_delay_ms = 4 }
    helper.run(function()
      local run = curia.start(council { stream = true }, "Why?")
      for _ = 1, 4 do
        local heard, hear = follower()
        local subscription = run:subscribe(hear)
        task.sleep(15)
        subscription:stop()
        task.sleep(8)
        assert.equal(ALPHABET:sub(1, #heard.content), heard.content)
      end
      assert.equal(ALPHABET, run:await().final.content)
    end)
    server.mock:stats()
  end)
end)

describe("a provider's key", function()
  local function status(key)
    curia.config { providers = { net = { adapter = "openai_chat", base_url = "http://127.0.0.1:1/v1", api_key = key } } }
    return helper.run(function() return curia.run(council {}, "Why?").rounds[1].results.a.error end)
  end

  it("may come from variable, file, command or function; what is missing is named", function()
    local path = os.tmpname()
    finally(function() os.remove(path) end)
    local file = io.open(path, "w")
    file:write "sk-from-a-file\n"
    file:close()
    assert.equal("ECONNECT", status(curia.file(path)).code)
    assert.equal("ECONNECT", status(curia.cmd "echo sk-from-a-command").code)
    assert.equal("ECONNECT", status(function() return "sk-from-a-function" end).code)
    assert.equal("missing_key", status(curia.file(path .. ".none")).code)
    assert.equal("missing_key", status(curia.cmd "exit 1").code)
    assert.equal("missing_key", status(function() error "no" end).code)
    assert.equal("missing_key", status(curia.env "CURIA_SPEC_NONE").code)
  end)
end)

describe("an adapter of one's own", function()
  local function run_with(adapter, fields)
    adapter.name, adapter.capabilities = "spec", adapter.capabilities or {}
    curia.config { providers = { net = { adapter = adapter, base_url = "http://127.0.0.1:1", api_key = "sk-own-0123456789" } } }
    return helper.run(function() return curia.run(council(fields), "Why?").rounds[1].results.a end)
  end

  it("may answer in the process", function()
    local result = run_with { call = function(request, config)
      return { content = config.name .. " heard " .. request.messages[1].content, finish_reason = "stop", usage = {} }
    end }
    assert.equal("net heard Why?", result.response.content)
  end)

  it("that fails, by value or by raising, is a failed member", function()
    local function broken() error "broken adapter" end
    local result = run_with { call = broken }
    assert.same({ "error", "script" }, { result.status, result.error.kind })
    assert.matches("broken adapter", result.error.message)
    assert.matches("call_spec.lua", result.error.traceback)
    result = run_with { call = function() return nil, "out of order" end }
    assert.equal("provider net: out of order", result.error.message)
    result = run_with { build = broken, parse = broken }
    assert.matches("broken adapter", result.error.message)
    result = run_with { build = function() return nil, curia.errors.new("validation", "cannot say that") end, parse = broken }
    assert.equal("cannot say that", result.error.message)
  end)

  it("whose body cannot be written as JSON says so", function()
    local result = run_with { build = function() return { url = "http://127.0.0.1:1/", headers = {}, body = { print } } end,
      parse = function() end }
    assert.equal("validation", result.error.kind)
    assert.matches("cannot be written as JSON", result.error.message)
  end)
end)

describe("the price", function()
  it("is looked up by the asked model where the answer's own has none", function()
    curia.config { prices = { ["spec-model"] = { input = 1000000, output = 0 } } }
    T.script { content = "x", model = "spec-model-v2-preview", usage = { input_tokens = 2, output_tokens = 1 } }
    local result = T.ask { ids = { "a" }, members = { a = { model = "spec-model" } } }
    assert.same({ usd = 2, source = "price_table" }, result.cost)
  end)
end)
