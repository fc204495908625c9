local wake = require "curia.jobs.wake"

describe("waking the workers", function()
  it("reaches those of the same store, until they stop", function()
    local heard = {}
    local stop = wake.listen({ url = "sqlite:a", prefix = "c_" }, function(otherwise) heard[#heard + 1] = otherwise end)
    wake.notify { url = "sqlite:a", prefix = "c_" }
    wake.notify({ url = "sqlite:a", prefix = "c_" }, true)
    wake.notify { url = "sqlite:b", prefix = "c_" }
    wake.notify { url = "sqlite:a", prefix = "d_" }
    stop()
    wake.notify { url = "sqlite:a", prefix = "c_" }
    assert.same({ false, true }, heard)
  end)
end)
