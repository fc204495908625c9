--- Strategy `rules`: the first entry whose `match` fits the question. Entries without one are passed over.
local prompts = require "curia.prompts"
local regex = require "curia.core.regex"
local user_code = require "curia.engine.user_code"

local function by_function(entry, ctx)
  local ok, fits = user_code.try("match of entry " .. entry.id, entry.match, ctx.input, ctx)
  if not ok then error(fits, 0) end
  return fits and true or false
end

-- A pattern that takes too long has not matched, and says so.
local function by_pattern(entry, ctx, question)
  local compiled, err = regex.compile(entry.match)
  local fits
  if compiled then fits, err = compiled:find(question) end
  if err then ctx:log("warn", ("auto: pattern of entry '%s': %s"):format(entry.id, tostring(err))) end
  return fits
end

local function choose(ctx, entries)
  local question = prompts.question(ctx.input)
  for _, entry in ipairs(entries) do
    local fits
    if type(entry.match) == "function" then fits = by_function(entry, ctx)
    elseif entry.match then fits = by_pattern(entry, ctx, question) end
    if fits then return { entry = entry, reason = "its match fits" } end
  end
  return nil, "no entry's match fits"
end

return { name = "rules", needs = { "catalog" }, choose = choose }
