--- What rounds, members and `run` functions are given (SPEC 4): everything with an effect goes
-- through it.
local clock = require "curia.core.clock"
local errors = require "curia.errors"
local member_turn = require "curia.engine.member"
local prompts = require "curia.prompts"
local rounds = require "curia.engine.round"
local rules = require "curia.rules"
local suggest = require "curia.suggest"
local system = require "curia.core.system"
local task = require "curia.task"

local M = {}

---@class curia.Ctx
---@field run_id string
---@field input any after the council's input mapper
---@field council string its name
---@field metadata table
---@field round? {name: string, idx: integer, iteration?: integer}
---@field rounds curia.RoundResult[] those that have ended
---@field members table[] the council's members
---@field deadline? number monotonic ms
local Ctx = {}
Ctx.__index = Ctx

-- `ctx.round` is both: a table that tells which round this is, and the call `ctx:round(type, opts)`.
local Round = {}

--- Runs a round of the shipped or registered types: `ctx:round(type, opts)`.
---@async
---@param ctx curia.Ctx
---@param kind string|table its type, or a round of your own
---@param opts? table its options
---@return curia.RoundResult
---@return curia.Error? err
function Round:__call(ctx, kind, opts)
  return rounds.execute(ctx, ctx._run:plan_round(kind, opts or {}))
end

--- The context of a run.
---@param run curia.Run
---@return curia.Ctx
function M.new(run)
  return setmetatable({
    _run = run, round = setmetatable({}, Round), run_id = run.id, input = run.input, council = run.plan.spec.name, metadata = run.metadata,
    rounds = run.rounds, members = run.plan.members, deadline = run.deadline_at, _inner = nil,
  }, Ctx)
end

--- The same context seen from inside a round.
---@param round table planned round
---@param result curia.RoundResult
---@return curia.Ctx
function Ctx:for_round(round, result)
  self._inner = self._inner or { __index = self }
  return setmetatable({
    round = setmetatable({ name = round.name, idx = round.idx, iteration = round.iteration }, Round),
    opts = round, _round = round, _result = result,
  }, self._inner)
end

local function find_member(self, member)
  if type(member) == "table" then return member end
  local found = self._run.plan.by_id[member]
  if not found then
    error(("ask: no member '%s'%s"):format(tostring(member), suggest.hint(member, self._run.plan.by_id)), 3)
  end
  return found
end

local function content_for(_, input)
  if type(input) == "string" or (type(input) == "table" and input[1]) then return input end
  return prompts.question(input)
end

-- Asks outside of a round belong to a round of their label's name, which is opened on first use.
local function free_round(self, label)
  if self._round then return self._round, self._result end
  return self._run:free_round(label)
end

--- Asks one member. A provider's failure is a result, never a raise.
---@async
---@param member string|table id, or a member of `ctx.members`
---@param input any a text, a list of messages, or an input table; nil: the run's input
---@param opts? {round?: string, retry?: table, parse?: function, deadline_ms?: number} `round` labels the asks of a free `run`
---@return curia.MemberResult
function Ctx:ask(member, input, opts)
  opts = opts or {}
  local planned = find_member(self, member)
  local round, result = free_round(self, opts.round or "run")
  if opts.retry then round = setmetatable({ retry = opts.retry }, { __index = round }) end
  local given = input == nil and self.input or input
  local function build(ctx) return content_for(ctx, given) end
  local turn = member_turn.new_turn(self, round, planned, build, opts.parse)
  local answered = rounds.single_turn(turn, opts.deadline_ms)
  result.results[planned.id] = answered
  return answered
end

--- Runs functions at the same time and waits for all; see task.all.
---@async
function Ctx:all(functions)
  return task.all(functions)
end

--- Runs functions at the same time; the first that returns wins; see task.first.
---@async
function Ctx:first(functions)
  return task.first(functions)
end

--- Unix milliseconds.
function Ctx:now()
  return clock.wall_ms()
end

--- A number in [0, 1) from the run's seeded generator.
function Ctx:random()
  return self._run.random:number()
end

--- A new UUIDv7.
function Ctx:uuid()
  return system.uuid7()
end

--- Waits.
---@async
---@param ms number
function Ctx:sleep(ms)
  task.sleep(ms)
end

--- An effect with a name: calls `fn` and gives its value, which must be plain data.
---@async
---@param name string
---@param fn fun(): any
---@return any
function Ctx:step(name, fn)
  if type(name) ~= "string" then error("bad argument #1 to 'step' (a name expected)", 2) end
  return fn()
end

--- Applies a decision rule to ballots; see curia.decide.
function Ctx:decide(rule, ballots, opts)
  return rules.decide(rule, ballots, opts)
end

--- Puts a line into the event log.
---@param level "debug"|"info"|"warn"|"error"
---@param text string
function Ctx:log(level, text)
  self._run.log:emit("log", { level = level, text = tostring(text) })
end

--- Sets the final answer of a free `run`; further rounds of a council are not run.
---@param content string|table a text, a response, or a member result
---@return table response
function Ctx:conclude(content)
  local response = content
  if type(content) == "table" and content.member and content.response then response = content.response end
  if type(response) ~= "table" then response = { content = tostring(content), finish_reason = "stop" } end
  self._run.final, self._run.concluded = response, true
  return response
end

local function unsupported(name)
  return function()
    error(errors.new("unsupported", ("ctx:%s is not part of this version"):format(name)), 2)
  end
end

Ctx.tool = unsupported("tool")
Ctx.run = unsupported("run")

return M
