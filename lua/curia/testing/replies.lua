--- What one council's members say in a script: for all of them, by a function, or by member.
local answers = require "curia.testing.answers"
local ballots = require "curia.testing.ballot"
local configuration = require "curia.config"
local errors = require "curia.errors"
local rounds = require "curia.language.rounds"
local suggest = require "curia.suggest"

local M = {}

---@class curia.testing.Replies
---@field path string of the council in the script: "" or "panel."
---@field fn? fun(request: table): any
---@field all? curia.testing.Node
---@field members? table<string, curia.testing.Node>
---@field said table<string, table<string, string[]>> by run and member, by which ballots know answers again
---@field missing string[]
local Replies = {}
Replies.__index = Replies

-- ---- making -----------------------------------------------------------------------------------------

local function known_rounds(spec)
  if spec.run or spec.router then return nil end
  local known = {}
  for _, round in ipairs(rounds.all(spec, configuration.shared().registry)) do
    local name = round.name or type(round.type) == "table" and round.type.name or round.type
    if type(name) == "string" then known[name] = true end
    if round.type == "iterate" then return nil end -- what it wraps has a name of its own
  end
  return known
end

local function members_of(spec)
  local by_id = {}
  for _, member in ipairs { spec.chair or false, table.unpack(spec.members or {}) } do
    if member and member.id then by_id[member.id] = member end
  end
  return by_id
end

local function check_id(id, by_id, path)
  local member = by_id[id]
  if not member then
    error(("testing.script: there is no member '%s%s'%s"):format(path, tostring(id),
      suggest.hint(tostring(id), by_id)), 0)
  elseif member.run ~= nil then
    error(("testing.script: member '%s%s' is a function: it answers itself"):format(path, id), 0)
  end
  return member
end

local function nodes_of(given, spec, path)
  local by_id, known, nodes = members_of(spec), known_rounds(spec), {}
  for id, value in pairs(given) do
    if check_id(id, by_id, path).council == nil then nodes[id] = answers.of(path .. id, value, known) end
  end
  return nodes
end

local function check_kind(given, path)
  if type(given) == "string" or type(given) == "table" or type(given) == "function" then return end
  error(("testing.script: %s: a text, a table or a function is expected, not a %s"):format(
    path == "" and "the script" or path:sub(1, -2), type(given)), 0)
end

--- Reads a council's part of a script. Raises where it cannot be used.
---@param given string|table|function
---@param spec table the council's
---@param path string
---@param missing string[] takes the requests that find no answer, as messages
---@return curia.testing.Replies
function M.of(given, spec, path, missing)
  check_kind(given, path)
  local self = setmetatable({ path = path, given = given, said = {}, missing = missing }, Replies)
  if type(given) == "function" then self.fn = given
  elseif type(given) == "string" then self.all = answers.of(path .. "(all)", given)
  else self.members = nodes_of(given, spec, path) end
  return self
end

--- The part of the script for a member that is a council.
---@param id string
---@return any
function Replies:inside(id)
  if type(self.given) ~= "table" then return self.given end
  return self.given[id] == nil and {} or self.given[id]
end

-- ---- answering --------------------------------------------------------------------------------------

local function no_member(self, request)
  return errors.new("script", ("member %s, round %s: no answer is scripted for this member%s"):format(
    request.member, request.round, suggest.hint(request.member, self.members)))
end

local function find(self, request)
  if self.fn then return self.fn(request) end
  local node = self.all or self.members[request.member]
  if not node then return nil, no_member(self, request) end
  local value, err = answers.next(node, request)
  if type(value) == "function" then return value(request) end
  return value, err
end

local function said_in(self, run_id)
  local said = self.said[run_id] or {}
  self.said[run_id] = said
  return said
end

local function remember(said, member, answer)
  local text = type(answer) == "table" and (answer.content or answer.stream and table.concat(answer.stream)) or answer
  if type(text) ~= "string" then return end
  said[member] = said[member] or {}
  table.insert(said[member], text)
end

local function settled(answer, request, said)
  if type(answer) ~= "table" then return answer end
  local ballot = ballots.is(answer) and answer or answer.content
  if not ballots.is(ballot) then return answer end
  local made = {}
  if ballot ~= answer then
    for name, value in pairs(answer) do made[name] = value end
  end
  made.content = ballots.labelled(ballot, request, said)
  return made
end

--- The answer to a request, as `curia.script` takes it; where there is none this raises an error of kind `script`.
---@async
---@param request table neutral request
---@return string|table
function Replies:answer(request)
  local answer, err = find(self, request)
  if err then
    table.insert(self.missing, err.message)
    error(err, 0)
  end
  local said = said_in(self, request.run_id or "")
  answer = settled(answer, request, said)
  remember(said, request.member, answer)
  return answer
end

--- Adds where there are answers that were never asked for.
---@param paths string[]
function Replies:unused(paths)
  if self.all then answers.unused(self.all, paths) end
  for _, node in pairs(self.members or {}) do answers.unused(node, paths) end
end

return M
