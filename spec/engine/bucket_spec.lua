local buckets = require "curia.engine.bucket"
local helper = require "spec.helper"
local random = require "curia.engine.random"
local task = require "curia.task"

describe("a token bucket", function()
  it("gives a minute's worth at once and then as fast as it fills", function()
    helper.virtual(function()
      local bucket = buckets.new(60)
      for _ = 1, 60 do
        assert.equal(0, bucket:wait_ms(1))
        bucket:take(1)
      end
      assert.equal(1000, bucket:wait_ms(1))
      assert.equal(5000, bucket:wait_ms(5))
      task.sleep(1000)
      assert.equal(0, bucket:wait_ms(1))
    end)
  end)

  it("saves up no more than a minute's worth", function()
    helper.virtual(function()
      local bucket = buckets.new(60)
      task.sleep(3600000)
      bucket:take(60)
      assert.equal(1000, bucket:wait_ms(1))
    end)
  end)

  it("does not hold back for ever what is larger than itself", function()
    helper.virtual(function()
      local bucket = buckets.new(60)
      assert.equal(0, bucket:wait_ms(600))
      bucket:take(600)
      assert.equal(541000, bucket:wait_ms(1))
    end)
  end)

  it("never lets through more than its rate and what it had saved up", function()
    helper.virtual(function()
      local bucket, numbers, taken, elapsed = buckets.new(120), random.new(7), 0, 0
      for _ = 1, 500 do
        local amount = numbers:integer(5)
        local ms = bucket:wait_ms(amount)
        task.sleep(ms)
        bucket:take(amount)
        taken, elapsed = taken + amount, elapsed + ms
        assert.is_true(taken <= 120 + elapsed * 120 / 60000 + 1e-6)
      end
    end)
  end)
end)
