--- The evaluation of one value by one schema, with a bound on its work.
--
-- Schemas and values may both come from strangers: what they can cost is counted in steps, and nested schemas
-- have a deepest level. When either is used up, evaluation ends and the value counts as faulty.
local combined = require "curia.schema.combined"
local containers = require "curia.schema.containers"
local pointer = require "curia.schema.pointer"
local scalars = require "curia.schema.scalars"
local values = require "curia.schema.values"

local M = {}

local STEPS, DEEPEST = 200000, 256

--- How many faults are told; the rest is counted.
M.MOST_FAULTS = 20

local KEYWORDS = {
  any = {
    scalars.any, { "type", "const", "enum" },
    combined.any, { "$ref", "allOf", "anyOf", "oneOf", "not", "if" },
  },
  number = { scalars.number, { "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf" } },
  string = { scalars.string, { "minLength", "maxLength", "pattern", "format" } },
  array = { containers.array, { "minItems", "maxItems", "prefixItems", "items", "contains", "uniqueItems" } },
  object = { containers.object, {
    "required", "dependentRequired", "minProperties", "maxProperties", "propertyNames", "properties",
    "patternProperties", "additionalProperties", "dependentSchemas",
  } },
}

-- Types of the keywords that can be read with one type only. Other than `check`, which tells of it, judging passes
-- over what it cannot read: schemas of tools come from elsewhere, and a wrong one must not raise.
local READABLE = {}
for kind, names in pairs {
  number = { "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength",
    "minItems", "maxItems", "minProperties", "maxProperties" },
  string = { "pattern", "format", "$ref" },
  table = { "enum", "required", "properties", "patternProperties", "prefixItems", "allOf", "anyOf", "oneOf",
    "dependentRequired", "dependentSchemas" },
} do
  for _, name in ipairs(names) do READABLE[name] = kind end
end

---@class curia.schema.Fault
---@field path string JSON pointer; "" is the whole value
---@field keyword string what the value breaks
---@field message string without the path
---@field cause? curia.schema.Fault the first one behind it, while it is judged

---@class curia.schema.Faults: curia.schema.Fault[]
---@field count integer of all faults, those that are not told too

---@class curia.schema.Evaluation
---@field root table|boolean
---@field faults curia.schema.Faults
---@field exhausted boolean the work is used up
local Evaluation = {}
Evaluation.__index = Evaluation

local function no_faults()
  return { count = 0 }
end

--- An evaluation by a schema.
---@param root table|boolean
---@return curia.schema.Evaluation
function M.new(root)
  return setmetatable({
    root = root, faults = no_faults(), steps = STEPS, depth = 0, path = {}, at = 0, plans = {}, targets = {},
    exhausted = false,
  }, Evaluation)
end

--- Tells a fault of the value that is looked at.
---@param keyword string
---@param message string
---@param cause? curia.schema.Fault the fault behind it
function Evaluation:fault(keyword, message, cause)
  local faults = self.faults
  faults.count = faults.count + 1
  if #faults >= M.MOST_FAULTS then return end
  local path = pointer.text(self.path, self.at)
  faults[#faults + 1] = { path = path, keyword = keyword, message = message, cause = cause and cause.cause or cause }
end

--- Ends the evaluation. Returns nil.
function Evaluation:exhaust()
  self.exhausted = true
end

--- Counts work; false once there is no more to be done.
---@param steps integer
---@return boolean
function Evaluation:spend(steps)
  self.steps = self.steps - steps
  if self.steps < 0 then self.exhausted = true end
  return not self.exhausted
end

-- The keywords of a schema that judge a kind of value, in order: function, keyword's value, function, ...
local function add_keywords(plan, schema, groups)
  for i = 1, #groups, 2 do
    for _, name in ipairs(groups[i + 1]) do
      if schema[name] ~= nil and type(schema[name]) == (READABLE[name] or type(schema[name])) then
        plan[#plan + 1] = groups[i][name]
        plan[#plan + 1] = schema[name]
      end
    end
  end
end

local function plan_of(self, schema, kind)
  local plans = self.plans[schema]
  if not plans then
    plans = {}
    self.plans[schema] = plans
  end
  if not plans[kind] then
    plans[kind] = {}
    add_keywords(plans[kind], schema, KEYWORDS.any)
    if KEYWORDS[kind] then add_keywords(plans[kind], schema, KEYWORDS[kind]) end
  end
  return plans[kind]
end

local function apply(self, schema, value)
  local plan = plan_of(self, schema, values.kind(value))
  for i = 1, #plan, 2 do
    if not self:spend(1) then return end
    plan[i](self, plan[i + 1], value, schema)
  end
end

--- Judges a value, at the present path.
---@param schema table|boolean
---@param value any
function Evaluation:evaluate(schema, value)
  if schema == false then return self:fault("false", "is not allowed here") end
  if type(schema) ~= "table" or not self:spend(1) then return end
  if self.depth >= DEEPEST then return self:exhaust() end
  self.depth = self.depth + 1
  apply(self, schema, value)
  self.depth = self.depth - 1
end

--- Judges a part of the value.
---@param step string|integer the member's name, or the position counted from 0
---@param schema table|boolean
---@param value any
function Evaluation:inside(step, schema, value)
  self.at = self.at + 1
  self.path[self.at] = step
  self:evaluate(schema, value)
  self.at = self.at - 1
end

--- The faults that a value has by a schema, without telling them.
---@param schema table|boolean
---@param value any
---@return curia.schema.Faults
function Evaluation:attempt(schema, value)
  local outer = self.faults
  self.faults = no_faults()
  self:evaluate(schema, value)
  local found = self.faults
  self.faults = outer
  return found
end

--- Whether a value fits a schema.
---@param schema table|boolean
---@param value any
---@return boolean
function Evaluation:holds(schema, value)
  return self:attempt(schema, value).count == 0
end

--- What a local reference points to.
---@param reference string
---@return table|boolean|nil
function Evaluation:resolve(reference)
  local known = self.targets[reference]
  if known == nil then
    known = pointer.resolve(self.root, reference)
    self.targets[reference] = known
  end
  return known
end

local function with_cause(fault)
  local cause = fault.cause
  if not cause then return end
  local place = cause.path == "" and "" or cause.path .. ": "
  fault.message, fault.cause = ("%s; the nearest says: %s%s"):format(fault.message, place, cause.message), nil
end

--- The faults as plain data, at most 20; nil: the value fits.
---@return curia.schema.Fault[]?
function Evaluation:verdict()
  local faults = self.faults
  if self.exhausted then -- it stands last, also where there are faults enough
    faults[math.min(#faults + 1, M.MOST_FAULTS)] =
      { path = "", keyword = "", message = "takes more work to judge than is allowed" }
  end
  for _, fault in ipairs(faults) do with_cause(fault) end
  faults.count = nil
  return faults[1] and faults or nil
end

return M
