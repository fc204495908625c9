--- How sure a member is of its answer (SPEC 6): the strategies by name, and the fields that they take.
--
-- A strategy is a function(response, ctx, member, probe) that gives a number from 0 to 1, or nil and why there is
-- none; or a table of
--   prepare(request, member)    changes the request before it is sent
--   read(response, request)     takes what the member says of itself out of its answer, before that is judged
--   measure(response, ctx, member, probe, options)   as the function; without it, what `read` found counts
--   options                     the rules of its options, as in curia.language.fields
--   asks                        true: only a member that has a model can be measured by it
-- `probe` asks further: see curia.engine.probe.
local fields = require "curia.language.fields"

local M = {}

--- The names of the shipped strategies, each a module `curia.confidence.<name>`.
M.names = fields.member.confidence.known

local shipped = {}
for _, name in ipairs(M.names) do shipped[name] = true end

local COMMON = {
  strategy = { type = "string|function|table", doc = "how confidence is measured", required = true,
    ref = "confidence", known = M.names },
  calibrate = { type = "boolean|function", doc = "map the number through the curve of recorded outcomes" },
}

---@alias curia.Measure fun(response: table, ctx: table, member: table, probe?: table, options: table): number?, string?

---@class curia.ConfidenceStrategy
---@field prepare? fun(request: table, member: table)
---@field read? fun(response: table, request: table): number?, string?
---@field measure? curia.Measure
---@field options? table<string, table>
---@field asks? boolean

local function find(kind, registry)
  if type(kind) ~= "string" then return kind end
  return registry:lookup("confidence", kind) or shipped[kind] and require("curia.confidence." .. kind) or nil
end

--- The strategy that a member's `confidence`, or its field `strategy`, names; nil for an unknown one.
---@param kind any
---@param registry curia.Registry
---@return curia.ConfidenceStrategy?
function M.strategy(kind, registry)
  local found = find(kind, registry)
  if type(found) == "function" then return { measure = found } end
  return type(found) == "table" and found or nil
end

--- The long form of a `confidence`: `"logprob"` is `{ strategy = "logprob" }`.
---@param value any
---@return table
function M.long(value)
  return type(value) == "table" and value or { strategy = value }
end

local rules = setmetatable({}, { __mode = "k" })

local function merged(strategy)
  local made = {}
  for name, rule in pairs(COMMON) do made[name] = rule end
  for name, rule in pairs(strategy.options or {}) do made[name] = rule end
  return made
end

--- The rules of the fields that stand beside a strategy's name.
---@param strategy curia.ConfidenceStrategy
---@return table<string, table>
function M.fields(strategy)
  rules[strategy] = rules[strategy] or merged(strategy)
  return rules[strategy]
end

return M
