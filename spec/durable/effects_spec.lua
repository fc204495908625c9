local curia = require "curia"
local helper = require "spec.helper"
local mock = require "curia.mock"
local S = require "spec.durable.support"
local shared = require "curia.store.shared"

local place, store, server

before_each(function()
  place = S.place()
  store = assert(shared.configured())
end)

after_each(function() place.close() end)

local function with_server(fn)
  server = assert(mock.start {})
  local _ <close> = setmetatable({}, { __close = function() server:close() end })
  helper.run(fn)
end

local function council(idempotency_key)
  curia.config { providers = { keyed = {
    adapter = "openai_chat", base_url = server.url .. "/v1", idempotency_key = idempotency_key,
  } } }
  local function seat(id) return { id = id, provider = "keyed", model = "m" } end
  return curia.council "keyed" { members = { seat "a", seat "b" }, rounds = { "independent_analysis", "critique" } }
end

local function keys()
  local found = {}
  for i, request in ipairs(server:requests()) do found[i] = request.headers["idempotency-key"] or "none" end
  return found
end

describe("a call of a durable run", function()
  it("has a key of its own, which is the same when it is made again", function()
    with_server(function()
      local made = council(true)
      S.die_at(store, 2, false) -- the answers of the first round have come, and are not stored
      S.start(made, nil, { run_id = "keyed" }):await()
      S.live(store)
      assert(assert(S.resume(store, "keyed", { councils = { keyed = made } })):await())
      local sent, count = {}, {}
      for i, key in ipairs(keys()) do
        assert.matches("^%x+$", key)
        sent[i], count[key] = key, (count[key] or 0) + 1
      end
      assert.equal(6, #sent)
      local times = { [1] = 0, [2] = 0 }
      for _, number in pairs(count) do times[number] = times[number] + 1 end
      assert.same({ 2, 2 }, times) -- twice those of the first round, once those of the second
    end)
  end)

  it("has none where its provider has not been told to take one", function()
    with_server(function()
      assert(S.start(council(false), nil, { run_id = "plain" }):await())
      assert.same({ "none", "none", "none", "none" }, keys())
    end)
  end)
end)
