--- The formats of JSON Schema that are asserted, each a predicate of a text.
local M = {}

local function in_range(text, low, high)
  local number = tonumber(text)
  return number ~= nil and number >= low and number <= high
end

local DAYS = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }

local function days_in(year, month)
  local leap = year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
  return month == 2 and leap and 29 or DAYS[month]
end

-- RFC 3339, full-date.
local function is_date(text)
  local year, month, day = text:match "^(%d%d%d%d)%-(%d%d)%-(%d%d)$"
  if not year or not in_range(month, 1, 12) then return false end
  return in_range(day, 1, days_in(tonumber(year), tonumber(month)))
end

local function offset_minutes(zone)
  if zone == "Z" or zone == "z" then return 0 end
  local sign, hours, minutes = zone:match "^([+-])(%d%d):(%d%d)$"
  if not sign or not in_range(hours, 0, 23) or not in_range(minutes, 0, 59) then return nil end
  local total = hours * 60 + minutes
  return sign == "-" and -total or total
end

-- RFC 3339, full-time. A leap second is the last of a day in UTC.
local function is_time(text)
  local hour, minute, second, rest = text:match "^(%d%d):(%d%d):(%d%d)(.*)$"
  if not hour or not in_range(hour, 0, 23) or not in_range(minute, 0, 59) or not in_range(second, 0, 60) then
    return false
  end
  local offset = offset_minutes(rest:match "^%.%d+(.*)$" or rest)
  if not offset then return false end
  return second ~= "60" or (hour * 60 + minute - offset) % 1440 == 1439
end

local function is_date_time(text)
  local date, time = text:match "^([%d-]+)[Tt](.+)$"
  return date ~= nil and is_date(date) and is_time(time)
end

local function is_ipv4(text)
  local parts = { text:match "^(%d+)%.(%d+)%.(%d+)%.(%d+)$" }
  if #parts ~= 4 then return false end
  for _, part in ipairs(parts) do
    if #part > 3 or part:find "^0%d" or not in_range(part, 0, 255) then return false end
  end
  return true
end

-- How many groups of 16 bits a part of an address has, the last perhaps written as IPv4; nil where it is none.
local function groups(part, may_end_in_ipv4)
  if part == "" then return 0 end
  local count = 0
  for group, colon in (part .. ":"):gmatch "([^:]*)(:)" do
    count = count + #colon
    if may_end_in_ipv4 and group:find(".", 1, true) then
      local is_last = part:sub(-#group) == group
      if not is_last or not is_ipv4(group) then return nil end
      count = count + 1
    elseif not group:find "^%x%x?%x?%x?$" then
      return nil
    end
  end
  return count
end

-- RFC 4291, section 2.2.
local function is_ipv6(text)
  if #text > 45 then return false end
  local from, to = text:find("::", 1, true)
  if not from then return groups(text, true) == 8 end
  local before, after = groups(text:sub(1, from - 1), false), groups(text:sub(to + 1), true)
  return before ~= nil and after ~= nil and before + after < 8
end

local function is_uuid(text)
  return #text == 36 and text:find "^%x+%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x+$" == 1 and text:sub(9, 9) == "-"
end

local function is_host(host)
  if #host > 253 then return false end
  for label in (host .. "."):gmatch "([^.]*)%." do
    if #label > 63 or not label:find "^[%w]" or label:find "[^%w-]" or label:find "%-$" then return false end
  end
  return true
end

local function is_domain(domain)
  local literal = domain:match "^%[(.*)%]$"
  if not literal then return is_host(domain) end
  local ipv6 = literal:match "^IPv6:(.*)$"
  return ipv6 and is_ipv6(ipv6) or is_ipv4(literal)
end

-- RFC 5321, section 4.1.2, for ASCII: a dot-string or a quoted string before the domain.
local function is_email(text)
  local box, domain = text:match "^(.+)@([^@]+)$"
  if not box or #box > 64 or not is_domain(domain) then return false end
  local quoted = box:match '^"(.*)"$'
  if quoted then return not quoted:gsub("\\[ -~]", ""):find '["\\%c\128-\255]' end
  if box:find "^%." or box:find "%.$" or box:find("..", 1, true) then return false end
  return not box:find "[^%w!#$%%&'*+/=?^_`{|}~.-]"
end

-- RFC 3986: a scheme, then only characters that a URI may have, percent signs before two digits.
local function is_uri(text)
  local rest = text:match "^%a[%w+.-]*:(.*)$"
  if not rest or rest:find "[^%w%-._~:/?#%[%]@!$&'()*+,;=%%]" then return false end
  if rest:gsub("%%%x%x", ""):find("%", 1, true) or select(2, rest:gsub("#", "")) > 1 then return false end
  local authority = rest:match "^//([^/?#]*)"
  if not authority then return not rest:find "[%[%]]" end
  local host, port = authority:gsub("^[^@]*@", ""):match "^(.-):?(%d*)$"
  if host:find "^%[" then return host:find "^%[[%x:.]+%]$" ~= nil or host:find "^%[[Vv]%x+%." ~= nil end
  return not host:find "[%[%]@:]" and (port == "" or #port <= 5)
end

--- Whether a text has the format, by its name.
---@type table<string, fun(text: string): boolean>
M.asserted = {
  date = is_date, time = is_time, ["date-time"] = is_date_time, ipv4 = is_ipv4, ipv6 = is_ipv6, uuid = is_uuid,
  email = is_email, uri = is_uri,
}

--- All that JSON Schema knows; those that are not asserted are remarks.
M.known = {
  "date", "time", "date-time", "ipv4", "ipv6", "uuid", "email", "uri", "duration", "hostname", "idn-hostname",
  "idn-email", "uri-reference", "uri-template", "iri", "iri-reference", "json-pointer", "relative-json-pointer",
  "regex",
}

return M
