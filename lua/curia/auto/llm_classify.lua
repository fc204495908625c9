--- Strategy `llm_classify`: a model reads what the entries are good for and names one.
local extract = require "curia.extract"
local prompts = require "curia.prompts"

local function named(entries, id)
  for _, entry in ipairs(entries) do
    if entry.id == id then return entry end
  end
end

local function choose(ctx, entries)
  if #entries == 0 then return nil, "the catalog is empty" end
  local result = ctx:ask("selector", prompts.classify(prompts.question(ctx.input), entries), { round = "choose" })
  if result.status ~= "ok" then return nil, "the model that chooses failed: " .. tostring(result.error) end
  local said = extract.json(result.response.content)
  local id = said and said.id
  if type(id) ~= "string" then return nil, "the model that chooses named no entry" end
  local entry = named(entries, id)
  if not entry then return nil, ("the model that chooses named '%s', which is no entry"):format(id:sub(1, 80)) end
  return { entry = entry, reason = type(said.reason) == "string" and said.reason or nil }
end

return { name = "llm_classify", needs = { "catalog" }, asks = { system = prompts.selector() }, choose = choose }
