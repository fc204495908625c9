--- Values for people: sorted keys, bounded depth and length, cycles named, results and runs in a few words.
local errors = require "curia.errors"
local json = require "curia.json"
local redact = require "curia.redact"
local width = require "curia.view.width"

local M = {}

local DEEPEST, MOST, LONGEST = 4, 40, 400

local show

local function quoted(text)
  local cut = #text > LONGEST
  local shown = ("%q"):format(cut and text:sub(1, LONGEST) or text):gsub("\\\n", "\\n"):gsub("[\1-\31\127]", function(c)
    return ("\\%d"):format(c:byte())
  end)
  return cut and ("%s... (%d bytes)"):format(shown, #text) or shown
end

local function key_text(key)
  if type(key) == "string" and key:find "^[%a_][%w_]*$" then return key end
  return "[" .. (type(key) == "string" and quoted(key) or tostring(key)) .. "]"
end

local function before(a, b)
  if type(a) == type(b) and (type(a) == "number" or type(a) == "string") then return a < b end
  return type(a) == "number" and type(b) ~= "number" or tostring(a) < tostring(b)
end

local function entries_of(value, state, depth)
  local entries, list = {}, #value
  for i = 1, math.min(list, MOST) do entries[i] = show(value[i], state, depth + 1) end
  local keys = {}
  for key in next, value do
    if not (math.type(key) == "integer" and key >= 1 and key <= list) then keys[#keys + 1] = key end
  end
  table.sort(keys, before)
  for i = 1, math.min(#keys, MOST - #entries) do
    entries[#entries + 1] = key_text(keys[i]) .. " = " .. show(value[keys[i]], state, depth + 1)
  end
  local left = list + #keys - #entries
  if left > 0 then entries[#entries + 1] = ("... %d more"):format(left) end
  return entries
end

local function table_text(value, state, depth)
  if state[value] then return "<the same>" end
  if depth > DEEPEST then return next(value) == nil and "{}" or "{...}" end
  state[value] = true
  local entries = entries_of(value, state, depth)
  state[value] = nil
  local line = "{ " .. table.concat(entries, ", ") .. " }"
  if #entries == 0 then return "{}" end
  if #line + 2 * depth <= state.columns and not line:find "\n" then return line end
  local indent = ("  "):rep(depth + 1)
  return "{\n" .. indent .. table.concat(entries, ",\n" .. indent) .. "\n" .. ("  "):rep(depth) .. "}"
end

local function named(value)
  local meta = getmetatable(value)
  return type(meta) == "table" and (rawget(meta, "__tostring") or rawget(meta, "__name")) and not errors.is(value)
end

function show(value, state, depth)
  if type(value) == "string" then return quoted(value) end
  if value == json.null then return "null" end
  if errors.is(value) or type(value) ~= "table" or named(value) then return tostring(value) end
  return table_text(value, state, depth)
end

-- ---- results ----------------------------------------------------------------------------------------

local function is_result(value)
  return type(value) == "table" and value.rounds ~= nil and value.council ~= nil and value.status ~= nil
end

local function decision_line(decision)
  local winner = decision.winner ~= nil and tostring(decision.winner) or "nobody"
  return ("decision: %s by %s, margin %.2f"):format(winner, decision.rule, decision.margin or 0)
end

local function result_text(result)
  local lines = { ("result of %s: %s%s"):format(result.council, result.status,
    result.metadata and result.metadata.offline and ", OFFLINE" or "") }
  if result.final then lines[#lines + 1] = width.clean(result.final.content) end
  if result.decision then lines[#lines + 1] = decision_line(result.decision) end
  for _, err in ipairs(result.errors or {}) do lines[#lines + 1] = tostring(err) end
  if result.cost and result.cost.usd then lines[#lines + 1] = ("cost: %.4f US dollars"):format(result.cost.usd) end
  return table.concat(lines, "\n")
end

--- A value in words, without secrets and without control characters.
---@param value any
---@param columns? integer 80
---@return string
function M.text(value, columns)
  if is_result(value) then return redact.text(result_text(value)) end
  return redact.text(show(value, { columns = columns or 80 }, 0))
end

return M
