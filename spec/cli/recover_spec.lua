local programs = require "spec.recovery.program"
local rows = require "curia.store.runs"
local shared = require "curia.store.shared"
local support = require "spec.recovery.support"

local place

before_each(function() place = programs.place() end)
after_each(function() place.close() end)

describe("curia recover", function()
  it("takes up what the dead have left, and sees it to its end", function()
    support.leave_behind(place.url, { count = 2 })
    local code, out, err = place.run("recover", "--once")
    assert.same({ 0, "2 resumed, 0 begun anew, 0 failed, 0 skipped\n" }, { code, out }, err)
    assert.equal("completed", rows.get(shared.of(place.url), "default", "left-2").status)
    code, out = place.run("recover", "--once", "--json")
    assert.same({ 0, '{"failed":0,"restarted":0,"resumed":0,"skipped":0}\n' }, { code, out })
  end)

  it("waits for the only one, too", function()
    support.leave_behind(place.url)
    local code, out, err = place.run("recover", "--once")
    assert.same({ 0, "1 resumed, 0 begun anew, 0 failed, 0 skipped\n" }, { code, out }, err)
    assert.equal("completed", rows.get(shared.of(place.url), "default", "left-1").status)
  end)

  it("keeps to the stack and the environment that it is told", function()
    support.leave_behind(place.url, { stack = "blue", env = "test" })
    local function resumed(...)
      local code, out = place.run("recover", "--once", "--json", ...)
      assert.equal(0, code)
      return out:match '"resumed":(%d+)'
    end
    assert.equal("0", resumed())
    assert.equal("0", resumed("--stack", "green", "--env", "test"))
    assert.equal("0", resumed("--stack", "*", "--env", ""))
    assert.equal("1", resumed("--stack", "blue", "--env", "test"))
  end)

  it("sees a run to its end that was only recorded and is begun anew", function()
    support.leave_behind(place.url, { options = 'recorder = true, recovery = "restart"',
      under_way = "SELECT count(*) AS n FROM {run_events} WHERE type = 'member_started'" })
    assert(require "luv".fs_mkdir(place.folder.path "councils", 448))
    local file <close> = assert(io.open(place.folder.path "councils/left-1.lua", "w"))
    file:write 'council "left-1" { member "a" { provider = "scripted", model = "m" }, round "independent_analysis" {} }'
    file:close()
    local code, out, err = place.run("recover", "--once", "--councils", place.folder.path "councils")
    assert.same({ 0, "0 resumed, 1 begun anew, 0 failed, 0 skipped\n" }, { code, out }, err)
    local found = shared.of(place.url):query "SELECT status FROM {runs} WHERE parent_attempt_run_id = 'left-1'"
    assert.same({ 1, "completed" }, { #found, found[1].status })
  end)

  it("takes no argument", function()
    local code, _, err = place.run("recover", "left-1")
    assert.equal(64, code)
    assert.matches("takes no argument", err)
  end)
end)

describe("two processes that recover at the same moment", function()
  it("take each run up once", function()
    support.leave_behind(place.url, { count = 20 })
    shared.close()
    local function recover() return place.run("recover", "--once") end
    require "spec.helper".run(function() require "curia.task".all { recover, recover } end)
    local found = shared.of(place.url):query "SELECT max(fence) AS fence, count(finalized_at) AS ended FROM {runs}"[1]
    assert.same({ fence = 2, ended = 20 }, found)
  end)
end)
