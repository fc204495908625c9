local helper = require "spec.helper"
local loader = require "curia.language.loader"
local S = require "spec.durable.support"
local steady = require "curia.language.steady"
local task = require "curia.task"
local T = require "spec.engine.support"

local words = steady.install({}, _G)

-- As in a durable run: in a scope with a time of its own.
local function inside(fn)
  local scope = task.scope(5000)
  steady.set_dice(scope:key(), require "curia.engine.random".new(3))
  local running = scope:add(task.spawn_root(fn))
  local ok, value = running:await()
  steady.set_dice(scope:key(), nil)
  if not ok then error(value, 0) end
  return value
end

local function keys(t)
  local found = {}
  for key in words.pairs(t) do found[#found + 1] = tostring(key) end
  return table.concat(found, " ")
end

describe("in a durable run", function()
  it("pairs has an order", function()
    local t = { b = 1, a = 1, [10] = 1, [2.5] = 1, [true] = 1, [false] = 1, z = 1 }
    assert.equal("2.5 10 a b z true false", inside(function() return keys(t) end))
    assert.error_matches(function() inside(function() return keys { [{}] = 1 } end) end, "no order for a key that is a table")
  end)

  it("pairs leaves out what was taken out, and leaves others' ways of going through alone", function()
    assert.equal("a", inside(function()
      local t, found = { a = 1, b = 2 }, {}
      for key in words.pairs(t) do
        found[#found + 1] = key
        t.b = nil
      end
      return table.concat(found, " ")
    end))
    local own = setmetatable({}, { __pairs = function() return function(_, i) if not i then return 1 end end, {}, nil end })
    assert.equal("1", inside(function() return keys(own) end))
  end)

  it("the time is the run's", function()
    assert.equal(5, inside(words.os.time))
    assert.equal("1970-01-01", inside(function() return words.os.date("!%Y-%m-%d") end))
    assert.equal(0, inside(words.os.clock))
    assert.equal(os.time { year = 2020, month = 1, day = 1 },
      inside(function() return words.os.time { year = 2020, month = 1, day = 1 } end))
  end)

  it("chance is the run's", function()
    local function throw()
      words.math.randomseed(7)
      return ("%d %d %.9f %d"):format(words.math.random(6), words.math.random(10, 12), words.math.random(),
        words.math.random(0))
    end
    assert.equal(inside(throw), inside(throw))
    assert.error_matches(function() inside(function() words.math.random(3, 1) end) end, "interval is empty")
  end)

  it("luv is refused, but not in what is done outside of it", function()
    local uv = words.require "luv"
    local ok, err = inside(function() return { pcall(function() return uv.sleep(1) end) } end)
    assert.is_false(ok[1])
    assert.same({ "unsupported", true }, { ok[2].kind, err == nil })
    assert.matches("^uv.sleep: ", ok[2].message)
    assert.equal(require "luv".hrtime, uv.hrtime)
    assert.equal(steady, words.require "curia.language.steady")
  end)

  it("a file's council is the same again when it is resumed", function()
    local place = S.place()
    local store = assert(require "curia.store.shared".configured())
    T.script { content = "yes", delay_ms = 1500 }
    local made = assert(loader.load_text([[
      council "chance" { members = { { id = "a", provider = "test", model = "m" } }, run = function(ctx)
        local told = { math.random(1000000), os.time(), os.clock() }
        for key in pairs { x = 1, y = 2, z = 3, u = 4, v = 5 } do told[#told + 1] = key end
        local text = table.concat(told, " ")
        ctx:ask("a", text)
        ctx:ask("a", text .. math.random(1000000) .. os.time())
        return text
      end }]], "@chance.lua"))
    helper.virtual(function()
      S.die_at(store, 2, true)
      S.start(made, nil, { run_id = "by-chance" }):await()
      S.live(store)
      local result = assert(assert(S.resume(store, "by-chance", { councils = { chance = made } })):await())
      assert.matches("u v x y z$", result.final.content)
    end)
    place.close()
  end)
end)

describe("outside of a durable run", function()
  it("they are Lua's own", function()
    assert.is_true(math.abs(words.os.time() - os.time()) <= 1)
    assert.is_true(words.math.random(3) <= 3 and words.math.random(5, 6) >= 5 and words.math.random() < 1)
    assert.equal("1", keys { 1 })
    assert.equal(math.pi, words.math.pi)
  end)
end)
