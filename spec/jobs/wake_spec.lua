local wake = require "curia.jobs.wake"

local STORE = { url = "sqlite:a", prefix = "c_" }

local function listener(slots)
  local made = { heard = {} }
  function made.notify(otherwise) made.heard[#made.heard + 1] = otherwise end
  function made.reserve(row)
    if slots == 0 then return nil end
    slots = slots - 1
    return function(job) made.row, made.job = row, job end
  end
  return made
end

describe("waking the workers", function()
  it("reaches those of the same store, until they stop", function()
    local made = listener(0)
    local stop = wake.listen(STORE, made)
    wake.notify(STORE)
    wake.notify({ url = "sqlite:a", prefix = "c_" }, true)
    wake.notify { url = "sqlite:b", prefix = "c_" }
    wake.notify { url = "sqlite:a", prefix = "d_" }
    stop()
    wake.notify(STORE)
    assert.same({ false, true }, made.heard)
  end)
end)

describe("reserving a slot", function()
  it("finds a worker that has one", function()
    local full, free = listener(0), listener(1)
    local stop_full, stop_free = wake.listen(STORE, full), wake.listen(STORE, free)
    local hand_over = wake.reserve(STORE, { job_id = "j" })
    hand_over "the job"
    assert.same({ "j", "the job" }, { free.row.job_id, free.job })
    assert.is_nil(wake.reserve(STORE, { job_id = "k" }))
    stop_full()
    stop_free()
    assert.is_nil(wake.reserve(STORE, { job_id = "l" }))
  end)
end)
