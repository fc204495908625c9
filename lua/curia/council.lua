--- The council object: what `council "name" { ... }` makes. It is not changed by assignment.
local lazy = require "curia.lazy"
local check = require "curia.language.check"
local configuration = require "curia.config"
local data_form = lazy "curia.language.data_form"
local fields = require "curia.language.fields"
local lower = require "curia.language.lower"
local profiles = require "curia.language.profiles"
local system = require "curia.core.system"

local M = {}

---@class curia.Council
---@field name string
local Council = { __name = "curia.council" }
Council.__index = Council

local function make(name, spec, faults)
  return setmetatable({ name = name, _ = { spec = spec, faults = faults, plans = {} } }, Council)
end

--- Makes a council from the body of its declaration. Nothing is judged yet: `validate` does.
---@param name string
---@param body table
---@return curia.Council
function M.new(name, body)
  return make(name, lower.council(name, body))
end

--- Whether a value is a council.
---@param value any
---@return boolean
function M.is(value)
  return getmetatable(value) == Council
end

-- ---- the data form --------------------------------------------------------------------------------

local function open_sub_council(member)
  if type(member) == "table" and type(member.council) == "table" then member.council = M.of_data(member.council) end
end

--- Makes a council from what `data_form.read` gives, councils that stand inline in it included.
---@param data table becomes the council's
---@return curia.Council
function M.of_data(data)
  for _, member in ipairs(type(data.members) == "table" and data.members or {}) do open_sub_council(member) end
  open_sub_council(data.chair)
  if type(data.name) ~= "string" then data.name = "unnamed" end -- which data_form.read has noted
  return M.new(data.name, data)
end

-- Councils by the data that they were opened from: one that contains itself is known again.
local opened = setmetatable({}, { __mode = "k" })

-- Registered data may do without a name: it has one already.
local function open(name, found)
  local source = { name = name }
  for key, value in pairs(found) do source[key] = value end
  local data, faults = data_form.read(source)
  if #faults > 0 then return nil, faults:take() end
  return M.of_data(data)
end

--- The registered council of a name; one that was registered as data is opened, once.
---@param name string
---@param registry curia.Registry
---@return curia.Council?
---@return curia.Fault[]? faults of registered data that is no council
---@return string? message why what is registered cannot be had
function M.named(name, registry)
  local found, message = registry:lookup("council", name)
  if found == nil and not message then found, message = registry:lookup("sub_council", name) end
  if found == nil or M.is(found) then return found, nil, message end
  if opened[found] then return opened[found] end
  local made, faults = open(name, found)
  opened[found] = made
  return made, faults
end

--- The council as JSON, which `curia.council_from` reads. The same council gives the same bytes.
---@param opts? curia.json.EncodeOptions
---@return string?
---@return curia.Error? err kind `invalid_council`, code `not_serializable`: something in it is no data; all such
--- places are in `context.faults`
function Council:to_json(opts)
  local faults = self._.faults
  local text
  if #faults == 0 then text, faults = data_form.write(self._.spec, opts) end
  if text then return text end
  return nil, check.error(self.name, lower.copy(faults:take()))
end

--- Its version: the content hash of its data form, under which durable runs store it.
---@return string? hash nil: something in it is no data
function Council:version()
  local text = self:to_json()
  return text and system.sha256(text)
end

-- ---- editing --------------------------------------------------------------------------------------
-- Each gives a new council and leaves this one as it is; what was added wrongly is for `validate` to tell.

-- `change(spec, faults)` works on copies.
local function edited(self, change)
  local spec, faults = lower.copy(self._.spec), check.faults()
  table.move(self._.faults, 1, #self._.faults, 1, faults)
  change(spec, faults)
  return make(self.name, spec, faults)
end

local function place_of(members, id)
  for i, member in ipairs(members) do
    if member and member.id == id then return i end
  end
end

local function put(list, at, kind, item, faults)
  list[at] = lower.items[kind](item, ("%ss[%d]"):format(kind, at), faults) or false
end

--- With one more member, the last. A second one of the same id is a fault.
---@param member table `member "id" { ... }`, or a table with an `id`
---@return curia.Council
function Council:add_member(member)
  return edited(self, function(spec, faults) put(spec.members, #spec.members + 1, "member", member, faults) end)
end

--- With the member in the place of the one that has its id; where there is none, with one more.
---@param member table
---@return curia.Council
function Council:upsert_member(member)
  return edited(self, function(spec, faults)
    local lowered = lower.items.member(member, "", check.faults())
    local at = lowered and lowered.id ~= nil and place_of(spec.members, lowered.id)
    put(spec.members, at or #spec.members + 1, "member", member, faults)
  end)
end

--- Without a member. Rounds that name it still do, which is a fault. Without such a member nothing changes.
---@param id string
---@return curia.Council
function Council:remove_member(id)
  return edited(self, function(spec)
    local at = place_of(spec.members, id)
    if at then table.remove(spec.members, at) end
  end)
end

--- With one more round, the last.
---@param round table|string `round "type" { ... }`, a table with a `type`, or a type
---@return curia.Council
function Council:add_round(round)
  return edited(self, function(spec, faults) put(spec.rounds, #spec.rounds + 1, "round", round, faults) end)
end

-- What was wrong with the chair before is no fault of the next one.
local function forget_chair(faults)
  for i = #faults, 1, -1 do
    if faults[i].path:find("^chair%f[^%w_]") then table.remove(faults, i) end
  end
end

--- With this chair, whether it had one or not.
---@param chair table `chair { ... }`, or a table
---@return curia.Council
function Council:set_chair(chair)
  return edited(self, function(spec, faults)
    forget_chair(faults)
    spec.chair = lower.items.chair(chair, "chair", faults)
  end)
end

--- Without a chair.
---@return curia.Council
function Council:clear_chair()
  return edited(self, function(spec, faults)
    forget_chair(faults)
    spec.chair = nil
  end)
end

local function setter(name)
  return function(self, value)
    return edited(self, function(spec)
      spec[name] = nil
      for key, lowered in pairs(lower.record(fields.council, { [name] = value })) do spec[key] = lowered end
    end)
  end
end

--- With another default profile, router, metadata or tools; nil takes the field away.
---@type fun(self: curia.Council, value: any): curia.Council
Council.set_default_profile = setter "profile"
Council.set_router, Council.set_metadata, Council.set_tools = setter "router", setter "metadata", setter "tools"

-- ---- looking inside -------------------------------------------------------------------------------

--- The council as plain data in which functions may stand; a copy of the caller's own.
---@return table
function Council:spec()
  return lower.copy(self._.spec)
end

local function sub_council(member, registry)
  if type(member.council) == "string" then return (M.named(member.council, registry)) end
  return M.is(member.council) and member.council or nil
end

local function collect_providers(council, config, found)
  if found[council] then return end
  found[council] = true
  local spec = council._.spec
  for _, member in ipairs { spec.chair or false, table.unpack(spec.members) } do
    local inner = member and sub_council(member, config.registry)
    if inner then collect_providers(inner, config, found)
    elseif member and not profiles.needs_no_model(member) then
      local provider = profiles.resolve(member, spec, config).provider
      if provider then found[provider] = true end
    end
  end
end
--- The names of the providers that the council asks, sub-councils included.
---@param config? curia.Config the shared one
---@return string[] sorted
function Council:providers(config)
  local found, names = {}, {}
  collect_providers(self, config or configuration.shared(), found)
  for name in pairs(found) do
    if type(name) == "string" then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

--- The council as a graph: plain data in a stable order, sub-councils included.
---@param config? curia.Config the shared one
---@return curia.Graph
function Council:graph(config)
  local registry = (config or configuration.shared()).registry
  return require("curia.diagram.graph").of(self, registry, function(member) return sub_council(member, registry) end)
end

--- The council as a diagram.
---@param form? "mermaid"|"ascii" a Mermaid flowchart; any other form raises
---@param config? curia.Config the shared one
---@return string
function Council:diagram(form, config)
  return require("curia.diagram").draw(self:graph(config), form or "mermaid") -- a tail call, so that it raises higher
end

function Council:__newindex(name)
  error(("field '%s' of council '%s' cannot be set: a council is not changed by assignment"):format(
    tostring(name), self.name), 2)
end

local function counted(list, word)
  return ("%d %s%s"):format(#list, word, #list == 1 and "" or "s")
end

function Council:__tostring()
  local spec = self._.spec
  return ("council '%s' (%s, %s%s)"):format(self.name, counted(spec.members, "member"),
    counted(spec.rounds, "round"), spec.chair and ", chair" or "")
end

return M
