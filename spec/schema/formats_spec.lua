local formats = require "curia.schema.formats"

local GOOD = {
  date = { "2026-11-28", "2024-02-29", "2000-02-29", "0000-01-01" },
  time = { "08:30:06Z", "08:30:06.283185z", "23:59:59+23:59", "23:59:60Z", "15:59:60-08:00", "01:29:60+01:30" },
  ["date-time"] = { "1963-06-19T08:30:06.283185Z", "1990-12-31t15:59:60-08:00" },
  email = { "joe.bloggs@example.com", "te~st@example.com", '"joe\\"bloggs"@example.com', "a@[127.0.0.1]", "a@[IPv6:::1]" },
  uri = { "https://example.com/a?b=c#d", "mailto:a@b.c", "urn:isbn:1", "http://[::1]:80/", "file:///etc" },
  uuid = { "2eb8aa08-aa98-11ea-b4aa-73b441d16380", "2EB8AA08-AA98-11EA-B4AA-73B441D16380" },
  ipv4 = { "192.168.0.1", "0.0.0.0", "255.255.255.255" },
  ipv6 = { "::", "::1", "1:2:3:4:5:6:7:8", "::ffff:192.168.0.1", "1::8", "1:2:3:4:5:6:1.2.3.4" },
}

local BAD = {
  date = { "2026-13-01", "2026-02-29", "1900-02-29", "2026-1-1", "26-01-01", "2026-01-00", "x2026-01-01" },
  time = { "08:30:06", "24:00:00Z", "08:60:00Z", "08:30:61Z", "22:59:60Z", "08:30:06.Z", "08:30:06+24:00", "8:30:06Z" },
  ["date-time"] = { "2026-11-28 08:30:06Z", "2026-11-28", "2026-02-30T08:30:06Z", "T" },
  email = { "2962", ".a@b.c", "a.@b.c", "a..b@c.d", "a@", "@b.c", "a b@c.d", '"a"b"@c.d', "a@b_c", "a@[300.0.0.1]" },
  uri = { "/abc", "abc", "\\\\host\\share", "http:// spaces", "http://a b", "a:%zz", "http://[x", ":// x", "http://a:b:c/" },
  uuid = { "2eb8aa08aa9811eab4aa73b441d16380", "2eb8aa08-aa98-11ea-b4aa-73b441d1638", "2eb8aa0-8aa98-11ea-b4aa-73b441d16380" },
  ipv4 = { "256.0.0.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.4 ", "0x7f.0.0.1" },
  ipv6 = { "", ":", ":::", "1::2::3", "12345::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "::1.2.3", "1.2.3.4::", "::g", "1:2:3:4:5:6:7::8" },
}

describe("the format", function()
  for name, holds in pairs(formats.asserted) do
    it(name .. " is told from what is none", function()
      for _, text in ipairs(GOOD[name]) do assert.is_truthy(holds(text), text) end
      for _, text in ipairs(BAD[name]) do assert.is_falsy(holds(text), text) end
    end)

    it(name .. " is judged in a time that grows with the text only", function()
      local began = os.clock()
      for _, piece in ipairs { "a", "1", ":", ".", "@", "-", "%", '"', "1:", "a@", "//" } do holds((piece):rep(100000)) end
      assert.is_true(os.clock() - began < 20)
    end)
  end
end)
