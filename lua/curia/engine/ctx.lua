--- What rounds, members and `run` functions are given (SPEC 4): everything with an effect goes
-- through it.
local lazy = require "curia.lazy"
local adhoc = lazy "curia.engine.adhoc"
local clock = require "curia.core.clock"
local effects = lazy "curia.durable.effects"
local errors = require "curia.errors"
local fan_out = require "curia.engine.fan_out"
local fields = require "curia.language.fields"
local hosts = lazy "curia.durable.host"
local json = require "curia.json"
local member_turn = require "curia.engine.member"
local options = require "curia.engine.options"
local prompts = require "curia.prompts"
local rounds = require "curia.engine.round"
local rules = lazy "curia.rules"
local shared = require "curia.rounds.shared"
local spending = require "curia.engine.spending"
local suggest = require "curia.suggest"
local system = require "curia.core.system"
local task = require "curia.task"
local tool_call = require "curia.engine.tool_call"
local toolbox = require "curia.engine.toolbox"
local tools = require "curia.language.tools"

local M = {}

---@class curia.Ctx
---@field run_id string
---@field input any after the council's input mapper
---@field council string its name
---@field metadata table
---@field round? {name: string, idx: integer, iteration?: integer}
---@field rounds curia.RoundResult[] those that have ended
---@field members table[] the council's members
---@field chair? table
---@field opts? curia.PlannedRound the options of the round that this is
---@field result? curia.RoundResult the result of that round as far as it is known: `results`, `metadata`
---@field deadline? integer Unix ms
local Ctx = {}
Ctx.__index = Ctx

-- `ctx.round` is both: a table that tells which round this is, and the call `ctx:round(type, opts)`.
local Round = {}

-- An iteration of the round that runs it.
local function place_inside(outer, round)
  local iterations = outer.result.metadata.iterations
  round.idx, round.iteration = outer._round.idx, iterations and #iterations + 1 or 1
end

-- The tool or the step of a durable run whose function calls a method: what it asks for is done inside of the run.
local function host_of(self)
  local journal = self._run.journal
  return journal and not task.in_scope() and hosts.here(journal) or nil
end

-- What the run waits for can be told apart later, and nothing else.
local function demand_inside(self, what)
  if not self._run.journal or task.in_scope() then return end
  error(errors.new("unsupported", what .. ": only a durable run itself may, its tools and its steps"), 0)
end

--- Runs a round of the shipped or registered types: `ctx:round(type, opts)`. A round that fails is a
--- result too, with its error beside it; only a wrong type or option raises. Inside of a round it is an
--- iteration of that one, and stands in its `metadata.iterations`.
---@async
---@param ctx curia.Ctx
---@param kind string|table its type, or a round of your own
---@param opts? table its options
---@return curia.RoundResult
---@return curia.Error? err
---@return boolean? fatal the run could not go on after that, were it a round of the council
function Round:__call(ctx, kind, opts)
  local run, host = ctx._run, host_of(ctx)
  if host then return host:request("round", kind, opts) end
  demand_inside(ctx, "round")
  if run.free then run.free:close_idle() end
  local round = adhoc.plan(run, kind, opts)
  if ctx._round then place_inside(ctx, round) end
  local result, err, fatal = rounds.execute(ctx, round)
  spending.check(run)
  return result, err, fatal
end

--- The context of a run.
---@param run curia.Run
---@param input any
---@return curia.Ctx
function M.new(run, input)
  local left_ms = run:time_left_ms()
  return setmetatable({
    _run = run, round = setmetatable({}, Round), run_id = run.id, input = input, council = run.plan.spec.name,
    metadata = run.metadata, rounds = run.finished, members = run.plan.members, chair = run.plan.chair,
    deadline = left_ms and clock.wall_ms() + math.ceil(left_ms), _inner = nil,
  }, Ctx)
end

local function called(round, iteration, ask)
  return setmetatable({ name = round.name, idx = round.idx, iteration = iteration, ask = ask }, Round)
end

-- The rounds that an iteration finds before it: the outer round's, then the iterations that have ended.
local function rounds_before(outer)
  local before = table.move(outer.rounds, 1, #outer.rounds, 1, {})
  for _, iteration in ipairs(outer.result.metadata.iterations) do
    if iteration.duration_ms then before[#before + 1] = iteration end
  end
  return before
end

--- The same context seen from inside a round.
---@param round table planned round
---@param result curia.RoundResult
---@return curia.Ctx
function Ctx:for_round(round, result)
  self._inner = self._inner or { __index = self }
  local inner = setmetatable({
    round = called(round, round.iteration), opts = round, _round = round, _result = result, result = result,
  }, self._inner)
  if self.result then inner.rounds = rounds_before(self) end
  return inner
end

local function demand_round(self, what)
  if not self._round then error(("%s: this is no round"):format(what), 3) end
end

--- In a round with a `run` of its own: the members that take part, by its options `members` and `router`. Those
--- that the router leaves out get their results.
---@async
---@return table[]? members
---@return curia.Error? err of the router
function Ctx:participants()
  demand_round(self, "participants")
  demand_inside(self, "participants")
  return rounds.participants(self)
end

--- How many of `count` members must answer in this round, by its quorum or the council's; nil: there is none.
---@param count integer
---@return integer?
function Ctx:quorum(count)
  demand_round(self, "quorum")
  return fan_out.quorum(self, self._round, count)
end

--- Whether the failure of a member shall end this round (`failure_mode`).
---@return boolean
function Ctx:fails_fast()
  demand_round(self, "fails_fast")
  return fan_out.fails_fast(self, self._round)
end

--- In a round with a `run` of its own: makes a result the member's in this round, and tells it as an event.
---@param result curia.MemberResult `member` and `status` must be there
function Ctx:settle(result)
  demand_round(self, "settle")
  if type(result) ~= "table" or not (result.member and result.status) then
    error("bad argument #1 to 'settle' (a member result expected)", 2)
  end
  result.attempts, result.duration_ms = result.attempts or 0, result.duration_ms or 0
  result.started_at = result.started_at or clock.wall_ms()
  rounds.settle(self, result)
end

-- ---- asking ---------------------------------------------------------------------------------------

local function find_member(self, member)
  if type(member) == "table" and self._run.plan.by_id[member.id] == member then return member end
  local found = self._run.plan.by_id[member]
  if found then return found end
  error(("ask: no member '%s'%s"):format(tostring(member), suggest.hint(member, self._run.plan.by_id)), 3)
end

local function are_messages(input)
  return type(input) == "table" and type(input[1]) == "table" and input[1].role ~= nil
end

-- Members in plain Lua may ask others, which may ask others: not for ever.
local DEEPEST = 8

local function deeper(self)
  local depth = (self._depth or 0) + 1
  if depth > DEEPEST then error(("ask: asks stand deeper than %d in asks"):format(DEEPEST), 3) end
  return setmetatable({ _depth = depth }, { __index = self })
end

-- Messages are sent as they are. Anything else is the turn's input, so that transform, system prompt and
-- functions see it as they see the run's. Gives what builds the request.
local function take_input(own, input)
  if input == nil then return shared.question end
  if are_messages(input) then return function() return input end end
  own.input = type(input) == "string" and { question = input } or input
  return function(ctx) return prompts.question(ctx.input) end
end

local Leaving = { __close = function(leaving) leaving.free:leave(leaving.round) end }

-- Asks inside a round are its own; those of a free `run` stand in rounds named by their labels.
local function place_of(self, label, id)
  if self._round then return self._round, self._result end
  local free = self._run:free_rounds()
  local entered = free:enter(label or "run", id)
  return entered.round, entered.result, setmetatable({ free = free, round = entered }, Leaving)
end

local ASK = {
  round = { type = "string", identifier = true }, retry = fields.round.retry, parse = { type = "function" },
  deadline_ms = { type = "duration" }, deadline = { type = "duration", alias = "deadline_ms" },
  iteration = { type = "integer", min = 1 }, ask = { type = "integer", min = 1 }, seed = { type = "integer" },
  keep = { type = "boolean" }, schema = fields.round.schema,
}

-- One of several asks of a member in a round: its events say which.
local function numbered(own, round, iteration, ask)
  iteration = iteration or round.iteration
  own.round = called(round, iteration, ask)
  return setmetatable({ iteration = iteration, ask = ask }, { __index = round })
end

---@class curia.AskOptions
---@field round? string labels the asks of a free `run`
---@field retry? table
---@field parse? function
---@field deadline? number|string
---@field iteration? integer which of several asks of the member in this round it is
---@field ask? integer which of several asks of the member in this iteration it is: events carry it, so that the words
--- of asks that run at the same time can be told apart
---@field seed? integer instead of the member's own
---@field schema? table|string stronger than the round's and the member's
---@field keep? boolean false: the result is the caller's alone and does not stand in the round's results

local function find_schema(self, schema)
  if type(schema) ~= "string" then return schema end
  local registry = self._run.config.registry
  local found = registry:lookup("schema", schema)
  if found then return found end
  error("ask: " .. suggest.message("schema", schema, registry:list "schema"), 3)
end

--- Asks one member. A provider's failure is a result, never a raise; a budget that is used up raises, unless the
--- chair concludes then.
---@async
---@param member string|table id, or a member of `ctx.members`
---@param input any a text, a list of messages, or an input table; nil: the run's input
---@param opts? curia.AskOptions
---@return curia.MemberResult
function Ctx:ask(member, input, opts)
  opts = options.read("ask", opts, ASK)
  local planned, schema = find_member(self, member), find_schema(self, opts.schema)
  local own = deeper(self)
  local build = take_input(own, input)
  local round, result, leaving = place_of(self, opts.round, planned.id)
  local guard <close> = leaving
  if opts.iteration or opts.ask then round = numbered(own, round, opts.iteration, opts.ask) end
  local turn = member_turn.new_turn(own, round, planned, build, opts.parse)
  turn.retry, turn.deadline_ms, turn.seed, turn.schema = opts.retry, opts.deadline_ms, opts.seed, schema
  local answered = fan_out.single_turn(turn, opts.keep == false and {} or result.results)
  spending.check(self._run)
  return answered
end

--- Runs functions at the same time and waits for all. When one fails, its error is raised once all have ended.
---@async
---@param functions (fun(): any)[]
---@return any[] values in the order of the functions
function Ctx:all(functions)
  local host = host_of(self)
  local values, failed = task.all(host and host:branches("all", functions) or functions)
  for i = 1, #functions do
    if failed[i] then error(failed[i], 0) end
  end
  return values
end

--- Runs functions at the same time; the first that returns wins; see task.first.
---@async
function Ctx:first(functions)
  local host = host_of(self)
  return task.first(host and host:branches("first", functions) or functions)
end

-- ---- tools ----------------------------------------------------------------------------------------

local NO_ROUND, NO_MEMBER, NO_TOOLS = {}, {}, {}

-- The council's tools come first, then what is registered.
local function toolbox_for(self, name)
  local run = self._run
  local box, err = toolbox.open(run.plan.tools or NO_TOOLS, run.journal)
  if not box or box.by_name[name] then return box, err end
  local tool = tools.find(name, run.config.registry)
  if tool and tool.run then return { find = function() return tool end } end
  error(suggest.message("tool", name, box.by_name), 3)
end

--- Calls a tool of the council, or a registered one. What goes wrong in it is an error value; an unknown
--- name raises.
---@async
---@param name string
---@param args? table
---@return any value nil when it failed
---@return curia.Error? err
function Ctx:tool(name, args)
  if type(name) ~= "string" then error("bad argument #1 to 'tool' (a name expected)", 2) end
  if args ~= nil and type(args) ~= "table" then error("bad argument #2 to 'tool' (a table expected)", 2) end
  local box, err = toolbox_for(self, name)
  if not box then return nil, err end
  local place = { run = self._run, ctx = self, round = self._round or NO_ROUND, member = NO_MEMBER }
  local outcome = tool_call.perform(place, box, { id = self:uuid(), name = name, arguments = args or {} })
  if outcome.error then return nil, outcome.error end
  return outcome.value
end

-- ---- effects --------------------------------------------------------------------------------------

--- Unix milliseconds.
---@return integer
function Ctx:now()
  return clock.wall_ms()
end

--- A number in [0, 1) from the run's seeded generator.
---@return number
function Ctx:random()
  return self._run:dice():number()
end

--- A new UUIDv7.
---@return string
function Ctx:uuid()
  local journal = self._run.journal
  return journal and journal:uuid() or system.uuid7()
end

--- Waits.
---@async
---@param ms number
function Ctx:sleep(ms)
  task.sleep(ms)
end

--- An effect with a name: calls `fn(ctx)` and gives its value, which must be a JSON value.
---@async
---@param name string
---@param fn fun(ctx: curia.Ctx): any
---@return any
function Ctx:step(name, fn)
  if type(name) ~= "string" then error("bad argument #1 to 'step' (a name expected)", 2) end
  if type(fn) ~= "function" then error("bad argument #2 to 'step' (function expected)", 2) end
  local value
  if self._run.journal then value = effects.step(self, name, fn) else value = fn(self) end
  local text, err = json.encode(value == nil and json.null or value)
  if not text then error(("step '%s' gave what is no JSON value: %s"):format(name, err.message), 2) end
  return value
end

local function with_dice(self, opts)
  if type(opts) ~= "table" or opts.tie_break ~= "random" or opts.random then return opts end
  local own = { random = function() return self:random() end }
  for name, value in pairs(opts) do own[name] = value end
  return own
end

--- Applies a decision rule to ballots; see curia.decide. `tie_break = "random"` throws the run's dice.
---@param rule string|function
---@param ballots curia.Ballot[]
---@param opts? table as for `curia.decide`
---@return curia.Decision
function Ctx:decide(rule, ballots, opts)
  return rules.decide(rule, ballots, with_dice(self, opts))
end

local LEVELS = { debug = true, info = true, warn = true, error = true }

--- Runs another council inside of this run and waits for its result; it is cancelled when this task ends.
---@async
---@param council curia.Council|string
---@param input? any nil: this run's input
---@param opts? table options of `start`
---@return table? result
---@return curia.Error? err unless the result is ok or partial
function Ctx:run(council, input, opts)
  if input == nil then input = self.input end
  local nested, err = self._run:start_nested(council, input, opts)
  if not nested then return nil, err end
  return nested:await()
end

--- Puts a line into the event log.
---@param level "debug"|"info"|"warn"|"error"
---@param text string
function Ctx:log(level, text)
  if not LEVELS[level] then error("bad argument #1 to 'log' (debug, info, warn or error expected)", 2) end
  self._run.log:emit("log", { level = level, text = tostring(text) })
end

-- ---- the end --------------------------------------------------------------------------------------

local function is_member_result(value)
  return value.member ~= nil and value.status ~= nil
end

local function as_response(content)
  if type(content) ~= "table" then return { content = tostring(content), finish_reason = "stop" } end
  if is_member_result(content) then return content.response end
  if type(content.content) == "string" then return content end
  return { content = prompts.question(content), parsed = content, finish_reason = "stop" }
end

--- Sets the final answer of a run; further rounds of a council are not run. A member result that is no
--- answer raises its error: a failure never passes for an answer.
---@param content string|table a text, a response, a member result, or a table (its JSON is the text)
---@return table response
function Ctx:conclude(content)
  if type(content) == "table" and is_member_result(content) and content.status ~= "ok" then
    error(content.error or errors.new("invalid_output", ("conclude: member %s is %s"):format(
      content.member, content.status)), 0)
  end
  local response = as_response(content)
  self._run.final, self._run.concluded = response, true
  return response
end

-- ---- in tools and steps of durable runs -----------------------------------------------------------

-- Where these are called outside of the run, they are handed in, or refused.
for _, name in ipairs { "ask", "tool", "run", "step", "now", "random", "uuid", "sleep", "log", "settle", "conclude" } do
  local method = Ctx[name]
  Ctx[name] = function(self, ...)
    local host = host_of(self)
    if host then return host:request(name, ...) end
    demand_inside(self, name)
    return method(self, ...)
  end
end

return M
