--- One call of a tool, from what the model wrote to what the model reads.
local lazy = require "curia.lazy"
local approvals = require "curia.engine.approvals"
local clock = require "curia.core.clock"
local effects = lazy "curia.durable.effects"
local errors = require "curia.errors"
local json = require "curia.json"
local prompts = require "curia.prompts"
local redact = require "curia.redact"
local schema = require "curia.schema"
local task = require "curia.task"
local user_code = require "curia.engine.user_code"

local M = {}

local TIMEOUT_MS = 30000

--- The longest result that a model is shown, in bytes; what is cut off is told.
M.MAX_RESULT_BYTES = 100 * 1024

---@class curia.ToolPlace where a tool is called from: a turn, or a script's ctx
---@field run curia.Run
---@field ctx curia.Ctx what the tool is given
---@field round table
---@field member table

---@class curia.ToolOutcome
---@field text string what the model reads
---@field error? curia.Error
---@field value? any what the tool gave
---@field failed boolean the tool itself failed; a model's mistake and a refusal are no failures
---@field duration_ms number

-- ---- what a tool gives, as a text ---------------------------------------------------------------

-- Never in the middle of a character.
local function cut(text)
  if #text <= M.MAX_RESULT_BYTES then return text end
  local last = M.MAX_RESULT_BYTES
  while last > 0 and text:find("^[\x80-\xBF]", last + 1) do last = last - 1 end
  return prompts.tool_result_cut(text:sub(1, last), last, #text)
end

local function text_of(tool, value)
  if type(value) == "string" then return cut(value) end
  local text, err = json.encode(value == nil and json.null or value)
  if text then return cut(text) end
  return nil, errors.new("tool", ("tool %s: its result is no JSON value: %s"):format(tool.name, err.message))
end

-- ---- running ------------------------------------------------------------------------------------

local function too_slow(tool, limit_ms)
  return errors.new("timeout", ("tool %s: no result in %g ms"):format(tool.name, limit_ms), { code = "tool_timeout" })
end

-- The value, or why there is none. The end of the caller's own time raises in the wait itself.
local function run_here(place, tool, arguments)
  local limit_ms = tool.timeout_ms or place.member.tool_timeout_ms or TIMEOUT_MS
  local ok, value, err = task.within(limit_ms, user_code.call, "tool " .. tool.name, tool.run, arguments, place.ctx)
  if ok then return value, err end
  if value.kind == "deadline" then return nil, too_slow(tool, limit_ms) end
  return nil, value
end

local function run_tool(place, tool, arguments)
  if place.run.journal then return effects.tool(place, tool, arguments, run_here) end
  return run_here(place, tool, arguments)
end

-- Servers' schemas may go beyond the subset that can be judged here; then the server judges alone.
local judgeable = setmetatable({}, { __mode = "k" })

local function can_judge(parameters)
  if judgeable[parameters] == nil then judgeable[parameters] = schema.check(parameters) == true end
  return judgeable[parameters]
end

local function misfit(tool, arguments)
  local parameters = tool.parameters
  if not parameters or not can_judge(parameters) then return nil end
  local fits, faults = schema.validate(parameters, arguments)
  return not fits and "the arguments do not fit:\n" .. schema.text(faults) or nil
end

-- The arguments that a tool is called with: they can be read, and fit its parameters.
local function arguments_of(tool, call)
  local mistake
  if call.arguments then mistake = misfit(tool, call.arguments)
  else mistake = "the arguments cannot be read: " .. (call.fault or "there are none") end
  if not mistake then return call.arguments end
  return nil, errors.new("validation", mistake, { code = "arguments" })
end

-- What must hold before a tool runs.
local function admit(place, tool, call)
  local arguments, err = arguments_of(tool, call)
  if not arguments then return nil, err end
  if tool.approval then
    local ok, refusal = approvals.ask(place, call)
    if not ok then return nil, refusal end
  end
  return arguments
end

local function perform(place, tool, call)
  local arguments, mistake = admit(place, tool, call)
  if not arguments then return nil, mistake, false end
  local value, err = run_tool(place, tool, arguments)
  if err then return nil, err, true end
  local text
  text, err = text_of(tool, value)
  return text, err, err ~= nil, value
end

-- ---- telling ------------------------------------------------------------------------------------

local function tell(place, kind, fields)
  local round = place.round
  fields.round, fields.idx, fields.iteration, fields.member = round.name, round.idx, round.iteration, place.member.id
  place.run.log:emit(kind, fields)
end

local function described(call)
  return { id = call.id, name = call.name, arguments = call.arguments or call.raw }
end

-- Vendors' and scripts' texts may hold a key (SPEC 26).
local function cleaned(err)
  err.message = redact.text(err.message)
  return err
end

--- Calls a tool and tells the run's watchers. What goes wrong is an outcome; only cancellation raises.
---@async
---@param place curia.ToolPlace
---@param box curia.Toolbox
---@param call {id: string, name: string, arguments?: table, raw?: string, fault?: string}
---@return curia.ToolOutcome
function M.perform(place, box, call)
  local began = clock.us()
  tell(place, "tool_call_request", { call = described(call) })
  local tool, err = box:find(call.name)
  local text, failed, value
  if tool then text, err, failed, value = perform(place, tool, call) end
  if err then text = prompts.tool_error(cleaned(err).message) end
  local duration_ms = (clock.us() - began) / 1000
  tell(place, "tool_call_result", {
    call = described(call), result = not err and text or nil, error = err, duration_ms = duration_ms,
  })
  return { text = text, error = err, failed = failed or false, value = value, duration_ms = duration_ms }
end

return M
