local clock = require "curia.core.clock"
local redact = require "curia.redact"
local senders = require "curia.otlp.sender"
local support = require "spec.otlp.support"
local task = require "curia.task"

after_each(redact.reset)

local function sender_to(url)
  return senders.new { endpoint = url, headers = { ["Content-Type"] = "application/json", ["x-key"] = "k" },
    retry = { attempts = 5, base_ms = 5, max_ms = 20 } }
end

-- Posts to a collector that answers with these statuses, one after the other; gives what it had to say, and how long.
local function post(statuses, lines, answer)
  local collector <close> = support.collector(function(number) return statuses[number], lines, answer end)
  local began = clock.ms()
  local ok, err = sender_to(collector.url):post("/v1/traces", "{}")
  return ok, err, #collector.requests, clock.ms() - began, collector.requests[1]
end

describe("the sender of the export", function()
  it("posts JSON with the headers that it was given", function()
    local ok, err, requests, _, request = post { 200 }
    assert.same({ true, nil, 1 }, { ok, err, requests })
    assert.equal("/v1/traces", request.path)
    assert.matches("\r\nContent%-Type: application/json\r\n", request.head)
    assert.matches("\r\nx%-key: k\r\n", request.head)
  end)

  it("tries again what may go well then", function()
    for _, status in ipairs { 429, 502, 503, 504 } do
      local ok, _, requests = post { status, status, 200 }
      assert.same({ true, 3 }, { ok, requests }, status)
    end
  end)

  it("gives up after a while, and at once where it is no use", function()
    local ok, err, requests = post { 503, 503, 503, 503, 503, 200 }
    assert.same({ false, 503, 5 }, { ok, err.status, requests })
    for _, status in ipairs { 301, 400, 401, 404, 500 } do
      ok, err, requests = post { status, 200 }
      assert.same({ false, status, 1 }, { ok, err.status, requests })
    end
  end)

  it("waits for as long as it is told to", function()
    local ok, _, _, ms = post({ 503, 200 }, "Retry-After: 1\r\n")
    assert.is_true(ok and ms >= 1000)
    local requests
    ok, _, requests = post({ 503, 200 }, "Retry-After: 86400\r\n")
    assert.same({ false, 1 }, { ok, requests })
  end)

  it("tells of what was rejected", function()
    local ok, rejected = post({ 200 }, "", '{"partialSuccess":{"rejectedSpans":"3","errorMessage":"too old"}}')
    assert.same({ true, { count = 3, message = "too old" } }, { ok, rejected })
    for _, answer in ipairs { '{"partialSuccess":{}}', "{}", "no JSON", "" } do
      ok, rejected = post({ 200 }, "", answer)
      assert.same({ true }, { ok, rejected })
    end
  end)

  it("tries again where nobody listens, and shows no password", function()
    local collector = support.collector()
    local url = collector.url:gsub("//", "//me:hush-hush@")
    collector:__close()
    local ok, err = sender_to(url):post("/v1/traces", "{}")
    assert.is_false(ok)
    assert.equal("transient", err.kind)
    assert.is_nil(err.message:find("hush", 1, true))
    assert.matches("/v1/traces: ", err.message)
  end)

  it("does not wait any more once it is told to hurry", function()
    local collector <close> = support.collector(function() return 503, "Retry-After: 60\r\n" end)
    local sender = sender_to(collector.url)
    local hurry, waiting = sender.hurry, task.signal()
    sender.hurry = {
      wait = function(_, ms)
        waiting:notify()
        return hurry:wait(ms)
      end,
      notify = function() hurry:notify() end,
    }
    task.spawn(function()
      waiting:wait()
      sender:hurry_up()
    end)
    local ok = sender:post("/v1/traces", "{}")
    assert.is_false(ok)
    assert.equal(2, #collector.requests)
  end)
end)
