--- Typed errors (SPEC 10) from what a vendor answered: status, headers, and a body in any of the
-- shapes in use: `{error = {..}}`, `{error = "text"}`, `{message, code, type}`, `{detail}`, HTML,
-- nothing at all. `provider` is the name that the message begins with.
local errors = require "curia.errors"
local json = require "curia.json"
local hints = require "curia.adapters.support.hints"

local M = {}

local decode = json.decoder { nulls = false }

local EXCERPT = 200
local LINE = 400

-- Words (code, type, status or reason, lower case) that settle the kind whatever the status says.
local DECISIVE = {
  auth = {
    "invalid_api_key", "authentication_error", "api_key_invalid", "unauthenticated", "unauthorized",
    "credentials_missing", "invalid_authentication", "permission_error", "permission_denied",
    "account_deactivated", "api_key_expired", "api_key_service_blocked",
  },
  quota_exhausted = {
    "insufficient_quota", "billing_error", "billing_hard_limit_reached", "billing_not_active",
    "insufficient_balance", "insufficient_credits", "payment_required", "credit_exhausted",
    "access_terminated", "exceeded_current_quota_error",
  },
  content_filter = {
    "content_filter", "responsibleaipolicyviolation", "content_policy_violation", "moderation_blocked",
    "bio_policy", "cyber_policy", "image_content_policy_violation", "content_filter_error",
  },
  overloaded = {
    "overloaded_error", "overloaded", "unavailable", "server_overloaded", "server_is_overloaded",
    "engine_overloaded_error", "slow_down", "service_unavailable", "model_overloaded",
  },
  rate_limited = {
    "rate_limit_error", "rate_limit_exceeded", "ratelimitreached", "resource_exhausted",
    "too_many_requests", "rate_limited", "rate_limit_reached_error", "throttlingexception",
  },
}

-- Words that count only where no status speaks, as in an error inside a 200.
local GENERIC = {
  permanent = {
    "invalid_request_error", "not_found_error", "invalid_argument", "not_found", "failed_precondition",
    "invalid_prompt", "request_too_large", "context_length_exceeded", "model_not_found",
    "tool_use_failed", "unsupported_parameter", "unsupported_value", "data_residency_mismatch",
  },
}

local function words(lists)
  local kinds = {}
  for kind, list in pairs(lists) do
    for _, word in ipairs(list) do kinds[word] = kind end
  end
  return kinds
end

local KIND_OF, KIND_OF_GENERIC = words(DECISIVE), words(GENERIC)

-- A bad key, an empty purse or a filter that only the prose of a 4xx tells apart (Lua patterns).
local PROSE = {
  { "quota_exhausted", {
    "credit balance", "insufficient balance", "insufficient credit", "insufficient funds",
    "not enough credit", "out of credits", "used all available credits", "spending limit",
    "specified api usage limits", "exceeded your current quota", "requires more credits",
  } },
  { "auth", {
    "incorrect api key", "invalid api[ _-]key", "api[ _-]key not valid", "api[ _-]key is invalid",
    "invalid x%-api%-key", "api[ _-]key[^.]-is invalid", "no api[ _-]key", "missing api[ _-]key",
    "api[ _-]key expired", "authentication fail", "no auth credentials", "missing authentication",
    "no cookie auth", "invalid credentials", "invalid bearer token", "user not found",
  } },
  { "content_filter", {
    "content management policy", "content exists risk", "flagged by moderation", "requires moderation",
    "violates? our content policy", "content policy violation",
  } },
}

local STATUS_KIND = {
  [401] = "auth", [402] = "quota_exhausted", [403] = "auth", [408] = "transient", [409] = "transient",
  [425] = "transient", [429] = "rate_limited", [503] = "overloaded", [529] = "overloaded",
}

local function table_or_nil(value)
  return type(value) == "table" and value or nil
end

local function text_or_nil(value)
  return type(value) == "string" and value ~= "" and value or nil
end

local function one_line(text, limit)
  text = text:gsub("%s+", " "):gsub("^ ", ""):gsub(" $", "")
  if #text <= limit then return text end
  local cut = utf8.len(text) and utf8.offset(text, 0, limit + 1) or limit + 1
  return text:sub(1, cut - 1) .. "..."
end

--- A short readable excerpt of a body that is not what was expected.
---@param text string|nil
---@return string
function M.excerpt(text)
  if not text or not text:find("%S") then return "empty body" end
  local head = text:sub(1, 4000)
  local title = head:match("<[tT][iI][tT][lL][eE]>%s*(.-)%s*</")
  if head:match("^%s*<") then head = title or head:gsub("<[^>]*>", " ") end
  return one_line(head, EXCERPT)
end

--- The vendor's error object in a decoded body, whatever its shape; nil where there is none.
---@param value any
---@return table|nil failure a table; the text is in `message`
function M.find(value)
  if type(value) ~= "table" then return nil end
  local failure = value.error
  if type(failure) == "table" and next(failure) ~= nil then return failure end
  if text_or_nil(failure) then
    return { message = failure, code = value.code, type = value.type, status = value.status }
  end
  if value.type == "error" or value.object == "error" then return value end
  if table_or_nil(value[1]) then return M.find(value[1]) end
  local choice = table_or_nil(value.choices) and table_or_nil(value.choices[1])
  return choice and table_or_nil(choice.error)
end

local function detail_text(detail)
  if type(detail) ~= "table" then return text_or_nil(detail) end
  local first = table_or_nil(detail[1]) or detail
  return text_or_nil(first.msg) or text_or_nil(first.message)
end

-- OpenRouter wraps what its upstream said in `metadata.raw`, as text or as JSON.
local function upstream_text(failure)
  local raw = table_or_nil(failure.metadata) and text_or_nil(failure.metadata.raw)
  if not raw then return nil end
  local inner = M.find(decode(raw))
  return inner and text_or_nil(inner.message) or raw
end

local function vendor_text(failure)
  local text = text_or_nil(failure.message) or text_or_nil(failure.error) or detail_text(failure.detail)
    or detail_text(failure.message) or text_or_nil(failure.error_description) or text_or_nil(failure.title)
  local upstream = upstream_text(failure)
  if upstream and upstream ~= text then return text and text .. ": " .. upstream or upstream end
  return text or json.encode(failure) or "no message"
end

local function code_text(value)
  if type(value) == "number" then return tostring(math.tointeger(value) or value) end
  return text_or_nil(value)
end

-- Google's code only repeats the HTTP status; its status is the name of the error.
local function vendor_code(failure)
  if type(failure.status) == "string" and type(failure.code) == "number" then return failure.status end
  return code_text(failure.code) or code_text(failure.type) or code_text(failure.status)
end

local function reasons(failure)
  local list = { failure.code, failure.type, failure.status }
  list[#list + 1] = table_or_nil(failure.innererror) and failure.innererror.code
  if table_or_nil(failure.details) then
    for _, detail in ipairs(failure.details) do
      list[#list + 1] = table_or_nil(detail) and detail.reason
    end
  end
  return list
end

local function kind_of_words(failure, kinds)
  local list = reasons(failure)
  for i = 1, #list + 3 do
    local word = list[i]
    local kind = type(word) == "string" and kinds[word:lower()]
    if kind then return kind end
  end
end

local function kind_of_prose(text)
  text = text:lower()
  for _, entry in ipairs(PROSE) do
    for _, pattern in ipairs(entry[2]) do
      if text:find(pattern) then return entry[1] end
    end
  end
end

-- A daily allowance that is used up does not come back within a retry, whatever RetryInfo says.
local function daily_quota(failure)
  if not table_or_nil(failure.details) then return false end
  for _, detail in ipairs(failure.details) do
    for _, violation in ipairs(table_or_nil(detail) and table_or_nil(detail.violations) or {}) do
      if tostring(violation.quotaId):find("PerDay", 1, true) then return true end
    end
  end
  return false
end

-- The HTTP status that an error inside a 200 stands for, if it tells one.
local function told_status(failure)
  for _, name in ipairs { "status_code", "raw_status_code", "code", "status" } do
    local number = math.tointeger(tonumber(failure[name]))
    if number and number >= 400 and number <= 599 then return number end
  end
end

local function kind_of_status(status)
  return STATUS_KIND[status] or (status >= 500 and "transient") or "permanent"
end

local function moderated(failure)
  local metadata = table_or_nil(failure.metadata)
  return metadata and (metadata.flagged_input ~= nil or metadata.reasons ~= nil)
end

local function kind_of(failure, text, status, headers)
  if daily_quota(failure) then return "quota_exhausted" end
  local kind = kind_of_words(failure, KIND_OF) or (moderated(failure) and "content_filter")
  if kind then return kind end
  if status == 402 and headers["retry-after"] then return "rate_limited" end
  if not status or status < 500 then kind = kind_of_prose(text) end
  if kind then return kind end
  return status and kind_of_status(status) or kind_of_words(failure, KIND_OF_GENERIC) or "transient"
end

local RETRYABLE = { transient = true, rate_limited = true, overloaded = true, timeout = true }
local HOPELESS = { auth = true, quota_exhausted = true, content_filter = true }

local function retryable(kind, inside, headers)
  local told = headers["x-should-retry"]
  if told == "true" or told == "false" then return told == "true" end
  if inside then return not HOPELESS[kind] end
  return RETRYABLE[kind] == true
end

local NO_HEADERS = {}

-- `inside`: the error came under a status of success, whose headers say nothing about it.
local function typed(provider, status, headers, failure, inside)
  headers = not inside and headers or NO_HEADERS
  local text = vendor_text(failure)
  local effective = inside and told_status(failure) or (not inside and status or nil)
  local kind = kind_of(failure, text, effective, headers)
  local where = inside and ("error inside a " .. tostring(status or 200) .. ",") or tostring(status)
  local limited = kind == "rate_limited" or kind == "overloaded" or kind == "quota_exhausted"
  return errors.new(kind, ("%s: %s %s: %s"):format(provider, where, kind, one_line(text, LINE)), {
    reason = text,
    status = status,
    code = vendor_code(failure),
    retry_after_ms = hints.retry_after_ms(headers, failure, limited),
    retryable = retryable(kind, inside, headers),
    context = text_or_nil(failure.failed_generation) and { failed_generation = failure.failed_generation } or nil,
  })
end

--- The error of an answer whose status is no success.
---@param provider string
---@param status integer
---@param headers table<string, string>|nil lower-case names
---@param body string|nil
---@return curia.Error
function M.of_status(provider, status, headers, body)
  local value = body and decode(body)
  local failure = M.find(value) or table_or_nil(value) or { message = M.excerpt(body) }
  if table_or_nil(failure[1]) then failure = failure[1] end
  return typed(provider, status, headers or NO_HEADERS, failure, false)
end

--- The error that stands in a body or stream of status 200.
---@param provider string
---@param status integer|nil
---@param failure table what `find` gave
---@param partial? table what the stream had said before: {content =, reasoning =}
---@return curia.Error
function M.inside(provider, status, failure, partial)
  local err = typed(provider, status, nil, failure, true)
  if partial then
    err.context = err.context or {}
    err.context.partial = partial
  end
  return err
end

--- A body of status 200 that is no answer: not JSON, or JSON of another shape.
---@param provider string
---@param status integer|nil
---@param body string|nil
---@param why string
---@return curia.Error
function M.unreadable(provider, status, body, why)
  local excerpt = M.excerpt(body)
  return errors.new("transient", ("%s: %s: %s"):format(provider, why, excerpt), {
    reason = excerpt, status = status, code = "unreadable_body", retryable = true,
  })
end

--- A stream that ended without its terminal event, or an answer that its vendor broke off.
---@param provider string
---@param status integer|nil
---@param partial table {content =, reasoning =}
---@param code? string default "stream_cut"
---@param why? string
---@return curia.Error
function M.cut(provider, status, partial, code, why)
  return errors.new("transient", provider .. ": " .. (why or "stream cut before its terminal event"), {
    status = status, code = code or "stream_cut", retryable = true,
    reason = why, context = { partial = partial },
  })
end

return M
