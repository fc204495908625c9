local cron = require "curia.jobs.cron"

local function ms(text)
  local year, month, day, hour, minute = text:match "^(%d+)%-(%d+)%-(%d+) (%d+):(%d+)$"
  local days = 0
  year, month = math.tointeger(tonumber(year)), math.tointeger(tonumber(month))
  local function leap(y) return y % 4 == 0 and (y % 100 ~= 0 or y % 400 == 0) end
  for y = 1970, year - 1 do days = days + (leap(y) and 366 or 365) end
  local lengths = { 31, leap(year) and 29 or 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }
  for m = 1, month - 1 do days = days + lengths[m] end
  return ((days + day - 1) * 1440 + hour * 60 + minute) * 60000 // 1
end

local function shown(at)
  return os.date("!%Y-%m-%d %H:%M", at // 1000)
end

local function next_after(text, at)
  return shown(assert(cron.parse(text)):next(ms(at)))
end

describe("a cron expression", function()
  it("finds the first time after another", function()
    for _, case in ipairs {
      { "* * * * *", "2026-11-28 10:00", "2026-11-28 10:01" },
      { "*/5 * * * *", "2026-11-28 10:00", "2026-11-28 10:05" },
      { "*/5 * * * *", "2026-11-28 10:58", "2026-11-28 11:00" },
      { "0 0 * * *", "2026-12-31 23:59", "2027-01-01 00:00" },
      { "30 8 * * *", "2026-11-28 08:30", "2026-11-29 08:30" },
      { "0 9-17/4 * * *", "2026-11-28 09:00", "2026-11-28 13:00" },
      { "0 9-17/4 * * *", "2026-11-28 17:00", "2026-11-29 09:00" },
      { "5/20 * * * *", "2026-11-28 10:06", "2026-11-28 10:25" },
      { "5/20 * * * *", "2026-11-28 10:46", "2026-11-28 11:05" },
      { "1,2,50-52 3 * * *", "2026-11-28 03:02", "2026-11-28 03:50" },
      { "0 0 1 * *", "2026-11-28 10:00", "2026-12-01 00:00" },
      { "0 0 31 * *", "2026-11-28 10:00", "2026-12-31 00:00" },
      { "0 0 31 * *", "2027-01-31 00:00", "2027-03-31 00:00" },
      { "@hourly", "2026-11-28 10:00", "2026-11-28 11:00" },
      { "@monthly", "2026-11-28 10:00", "2026-12-01 00:00" },
    } do assert.equal(case[3], next_after(case[1], case[2]), case[1] .. " after " .. case[2]) end
  end)

  it("knows the names of months and days, in any case", function()
    assert.equal("2027-02-01 12:00", next_after("0 12 1 FEB *", "2026-11-28 10:00"))
    assert.equal("2026-11-30 08:00", next_after("0 8 * * mon-fri", "2026-11-27 08:00"))
    assert.equal("2026-11-29 08:00", next_after("0 8 * * sun", "2026-11-28 10:00"))
    assert.equal("2026-11-29 08:00", next_after("0 8 * * 7", "2026-11-28 10:00"))
    assert.equal("2026-11-29 08:00", next_after("0 8 * * 0", "2026-11-28 10:00"))
    assert.equal("2026-11-29 08:00", next_after("0 8 * * 5-7", "2026-11-28 10:00"))
  end)

  it("takes a day that either of two day fields names", function()
    assert.equal("2026-12-04 00:00", next_after("0 0 13 * fri", "2026-11-28 10:00"))
    assert.equal("2026-12-13 00:00", next_after("0 0 13 * fri", "2026-12-11 10:00"))
  end)

  it("takes a day that both name when one of them begins with a star", function()
    assert.equal("2026-12-04 00:00", next_after("0 0 * * fri", "2026-11-28 10:00"))
    assert.equal("2026-12-13 00:00", next_after("0 0 13 * *", "2026-11-28 10:00"))
    assert.equal("2027-01-01 00:00", next_after("0 0 */31 * fri", "2026-11-28 10:00"))
  end)

  it("knows leap years", function()
    assert.equal("2028-02-29 00:00", next_after("0 0 29 2 *", "2026-11-28 10:00"))
    assert.equal("2032-02-29 00:00", next_after("0 0 29 2 *", "2028-02-29 00:00"))
    assert.equal("2104-02-29 00:00", next_after("0 0 29 2 *", "2096-02-29 00:00"))
    assert.equal("2027-03-01 00:00", next_after("0 0 1 3 *", "2027-02-28 23:59"))
  end)

  it("agrees with a search minute by minute", function()
    local made = assert(cron.parse "7-50/11 */6 * * 1,3")
    local at, from = ms "2026-11-28 10:00", ms "2026-11-28 10:00"
    for minute = from + 60000, from + 9 * 86400000, 60000 do
      local t = os.date("!*t", minute // 1000)
      local hit = t.min >= 7 and t.min <= 50 and (t.min - 7) % 11 == 0 and t.hour % 6 == 0
        and (t.wday == 2 or t.wday == 4)
      if hit then
        at = made:next(at)
        assert.equal(shown(minute), shown(at))
      end
    end
  end)

  it("gives whole minutes, whenever it is asked", function()
    local made = assert(cron.parse "* * * * *")
    assert.equal(120000, made:next(60000))
    assert.equal(120000, made:next(119999.5))
    assert.equal("integer", math.type(made:next(61234.5)))
  end)
end)

describe("a wrong cron expression", function()
  it("is an error that names the field", function()
    for text, message in pairs {
      ["60 * * * *"] = "minute: 60 is not between 0 and 59",
      ["* 24 * * *"] = "hour: 24 is not between 0 and 23",
      ["* * 0 * *"] = "day of the month: 0 is not between 1 and 31",
      ["* * * 13 *"] = "month: 13 is not between 1 and 12",
      ["* * * * 8"] = "day of the week: 8 is not between 0 and 7",
      ["* * * * mno"] = "day of the week: 'mno' is no number; did you mean 'mon'",
      ["5-1 * * * *"] = "minute: the range 5%-1 goes backwards",
      ["*/0 * * * *"] = "minute: the step of '%*/0'",
      ["*/x * * * *"] = "minute: the step of '%*/x'",
      ["1,,2 * * * *"] = "minute: '' is no number",
      ["1-2-3 * * * *"] = "minute: '1%-2%-3' is no number",
      ["-5 * * * *"] = "minute: '%-5' is no number",
      ["1.5 * * * *"] = "minute: '1.5' is no number",
      ["* * *"] = "five fields are expected, not 3",
      [""] = "five fields are expected, not 0",
      ["* * * * * *"] = "five fields are expected, not 6",
      ["0 0 30 2 *"] = "day of the month: no month that it names has such a day",
      ["@dayly"] = "unknown word '@dayly'; did you mean '@daily'",
    } do
      local made, err = cron.parse(text)
      assert.is_nil(made, text)
      assert.same({ "validation", "invalid_cron" }, { err.kind, err.code })
      assert.matches(message, err.message)
    end
  end)

  it("raises when it is no text", function()
    assert.error_matches(function() cron.parse(5) end, "bad argument #1")
  end)
end)
