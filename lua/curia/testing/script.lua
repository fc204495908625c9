--- A council whose members answer from a script.
--
--     local council, script = testing.script(advisor, {
--       analyst = "Ship it.",
--       skeptic = { critique = { "Why now?", { error = 429 } }, vote = { choice = "analyst" } },
--       chair = { content = "Ship it on Monday.", delay_ms = 20 },
--     })
--
-- The copy asks the `scripted` provider by way of everything that others are asked through: limits, retries,
-- fallbacks, streams. Embeddings are not scripted.
local configuration = require "curia.config"
local councils = require "curia.council"
local profiles = require "curia.language.profiles"
local replies = require "curia.testing.replies"

local M = {}

---@class curia.testing.Script
local Script = { __name = "curia.testing.script" }
Script.__index = Script

local function as_models(fallback, provider, registry, caps)
  local made = {}
  for i, entry in ipairs(fallback) do
    made[i] = { provider = provider, model = profiles.fallback(entry, caps, registry).model or "scripted" }
  end
  return made
end

-- The model keeps its name, so that prices and what is known of models hold.
local function ask_script(member, spec, level)
  local config = configuration.shared()
  local caps = profiles.resolve(member, spec, config)
  member.fallback = as_models(caps.fallback or member.fallback or {}, level.provider, config.registry, caps)
  member.provider, member.model = level.provider, caps.model or "scripted"
end

local copy_council

local function inner_council(member)
  if type(member.council) ~= "string" then return member.council end
  return (councils.named(member.council, configuration.shared().registry))
end

local function copy_member(script, member, spec, level)
  if member.council ~= nil then
    local inner = inner_council(member)
    if not councils.is(inner) then return end -- validation says what is wrong with it
    member.council = copy_council(script, inner, level:inside(member.id), level.path .. member.id .. ".")
  elseif not profiles.needs_no_model(member) then
    ask_script(member, spec, level)
  end
end

local made_so_far = 0

-- A provider for each council: it stays registered as long as the program lives.
local function register(level)
  made_so_far = made_so_far + 1
  local name = "script_" .. made_so_far
  configuration.shared().registry:register("provider", name,
    { adapter = "scripted", script = function(request) return level:answer(request) end })
  return name
end

function copy_council(script, council, given, path)
  local spec = council:spec()
  local level = replies.of(given, spec, path, script.missing)
  level.provider = register(level)
  table.insert(script.levels, level)
  for _, member in ipairs(spec.members or {}) do
    if member then
      copy_member(script, member, spec, level)
      council = council:upsert_member(member)
    end
  end
  if spec.chair then
    copy_member(script, spec.chair, spec, level)
    council = council:set_chair(spec.chair)
  end
  return council
end

--- A copy of a council that answers from a script, and the script. Raises where the script cannot be used: a
--- member or round that there is not, an answer with unknown fields.
---@param council curia.Council
---@param given string|table|fun(request: table): any a text for all; answers by member's id (a text, an answer as in
--- `curia.script`, a ballot, a list of these for one request after the other, or these by round's name; for a member
--- that is a council, that one's script); or a function, which may wait
---@return curia.Council
---@return curia.testing.Script
function M.script(council, given)
  if not councils.is(council) then error("bad argument #1 to 'script' (a council expected)", 2) end
  local script = setmetatable({ levels = {}, missing = {} }, Script)
  local ok, made = pcall(copy_council, script, council, given, "")
  if not ok then error(made, 2) end
  return made, script
end

--- Where the script has answers that were never asked for, sorted: "skeptic.vote", "panel.expert[2]".
---@return string[]
function Script:unused()
  local paths = {}
  for _, level in ipairs(self.levels) do level:unused(paths) end
  table.sort(paths)
  return paths
end

--- The requests that found no answer, as messages: a council may get over the failure of a member.
---@return string[]
function Script:unanswered()
  return table.move(self.missing, 1, #self.missing, 1, {})
end

return M
