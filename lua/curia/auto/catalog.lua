--- What `auto` chooses from: the entries of its catalog, or all registered councils.
local council = require "curia.council"
local providers = require "curia.language.providers"
local registry = require "curia.registry"

local M = {}

---@class curia.CatalogEntry
---@field council curia.Council|string
---@field id string
---@field desc? string for models and embeddings
---@field match? string|fun(input: any, ctx: curia.Ctx): boolean PCRE2 pattern, or a function
---@field vector? number[]
---@field tags? string[]

--- The fields of an entry.
M.fields = {
  council = { type = "council|string", doc = "the council, or its registered name", required = true, ref = "council",
    code = "unknown_council" },
  id = { type = "string", doc = "name of the entry (the council's)", nonempty = true },
  desc = { type = "string", doc = "what it is good for (the council's about)" },
  match = { type = "string|function", doc = "pattern (PCRE2), or function(input, ctx) -> boolean", nonempty = true },
  vector = { type = "list", doc = "embedding of desc", nonempty = true, items = { type = "number" } },
  tags = { type = "list", doc = "free words", items = { type = "string" } },
}

local function council_of(given)
  if council.is(given) then return given end
  return registry.shared():lookup("council", given)
end

local function complete(given)
  local made = council_of(given.council)
  if not made then return nil end
  return {
    council = made, id = given.id or made.name, desc = given.desc or made:spec().about, match = given.match,
    vector = given.vector, tags = given.tags,
  }
end

local function registered()
  local list = {}
  for i, name in ipairs(registry.shared():list("council")) do list[i] = { council = name, id = name } end
  return list
end

-- Whether all providers that the council asks have their keys.
local function reachable(entry)
  for _, name in ipairs(entry.council:providers()) do
    if not providers.available(name, registry.shared()) then return false end
  end
  return true
end

--- The entries that can be chosen, in their order.
---@param opts table of `auto`
---@return curia.CatalogEntry[]
---@return integer total how many there are, with those that cannot be chosen
function M.entries(opts)
  local given = opts.catalog == "registry" and registered() or opts.catalog or {}
  local entries = {}
  for _, item in ipairs(given) do
    local entry = complete(item)
    if entry and not (opts.provider_check and not reachable(entry)) then entries[#entries + 1] = entry end
  end
  return entries, #given
end

return M
