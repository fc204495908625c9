--- A session: its variables, what is typed into it, the runs that it has started.
local chunks = require "curia.repl.chunk"
local commands = require "curia.repl.commands"
local curia = require "curia"
local dsl = require "curia.language.dsl"
local errors = require "curia.errors"
local language = require "curia.language"
local library = require "curia.cli.library"
local printer = require "curia.repl.printer"
local width = require "curia.view.width"

local M = {}

---@class curia.repl.Session
---@field env table the variables
---@field over boolean it shall end
---@field failed boolean a line has failed
---@field used {runs: integer, output_tokens: integer, usd: number}
local Session = {}
Session.__index = Session

-- `curia` as scripts have it, but the councils that come with Curia are known by name; offline, nobody is asked.
local function curia_of(self, offline)
  local function with(fn)
    return function(council, input, opts)
      local own = { offline = offline }
      for name, value in pairs(opts or {}) do own[name] = value end
      return fn(type(council) == "string" and self:council(council) or council, input, own)
    end
  end
  return setmetatable({ start = with(curia.start), run = with(curia.run) }, { __index = curia })
end

local function await(value)
  if type(value) == "table" and value.await then return value:await() end
  return value
end

local function environment(self, offline)
  local scope = language.install { curia = curia_of(self, offline), uv = require "luv", await = await }
  scope.print = function(...)
    local parts = table.pack(...)
    for i = 1, parts.n do parts[i] = tostring(parts[i]) end
    self:say(table.concat(parts, "\t"))
  end
  return setmetatable({}, { __index = setmetatable(scope, { __index = _G }) })
end

--- A new session.
---@param opts {say: fun(text: string), columns?: fun(): integer, offline?: boolean} `say` shows a text
---@return curia.repl.Session
function M.new(opts)
  local self = setmetatable({
    opts = opts, over = false, failed = false, used = { runs = 0, output_tokens = 0, usd = 0 },
    councils = {}, watched = setmetatable({}, { __mode = "k" }),
  }, Session)
  self.env = environment(self, opts.offline)
  return self
end

--- Shows a text.
---@param text string
function Session:say(text)
  self.opts.say(text)
end

-- ---- councils ---------------------------------------------------------------------------------------

local function learn(self, declared)
  for _, council in ipairs(declared) do
    self.councils[council.name] = council
    curia.register("council", council.name, council)
  end
end

--- A council by name: one of this session, or one that comes with Curia.
---@param name string
---@return curia.Council?
function Session:council(name)
  return self.councils[name] or (library.find(name) and library.load(name)) or nil
end

--- The names of the councils that can be asked.
---@return string[]
function Session:council_names()
  local names = {}
  for name in pairs(self.councils) do names[#names + 1] = name end
  for _, entry in ipairs(library.list()) do names[#names + 1] = entry.name end
  table.sort(names)
  return names
end

-- ---- runs that go on --------------------------------------------------------------------------------

local function count(self, run)
  local used, result = self.used, run:result()
  used.runs = used.runs + 1
  used.output_tokens = used.output_tokens + (run:state().usage.output_tokens or 0)
  used.usd = used.usd + (result and result.cost and result.cost.usd or 0)
end

local function ended_line(run)
  local result, err = run:result()
  local state = run:state()
  local what = result and result.final and result.final.content:match "[^\n]*" or err and tostring(err) or ""
  return ("[%s %s: %s]"):format(state.council, state.status, width.cut(width.clean(what), 60))
end

-- Runs that a line has left behind report when they end; those that it waited for have been shown.
local function watch_runs(self)
  for _, state in ipairs(curia.list()) do
    local run = curia.find(state.run_id)
    if run and not self.watched[run] then
      self.watched[run] = true
      local ended = run.ended
      run:on_end(function()
        count(self, run)
        if not ended then self:say(ended_line(run)) end
      end)
    end
  end
end

-- ---- what is typed ----------------------------------------------------------------------------------

local function show(self, values)
  if values.n == 0 or values.n == 1 and values[1] == nil then return end
  self.env._ = values[1]
  local columns, parts = self.opts.columns and self.opts.columns() or 80, {}
  for i = 1, values.n do parts[i] = printer.text(values[i], columns) end
  self:say(table.concat(parts, "\n"))
end

local function trace_of(err)
  if not errors.is(err) or err.kind ~= "script" then return nil end
  return err.traceback
end

-- Only the lines of what was typed are of interest.
local function complain(self, err)
  self.failed = true
  self:say("error: " .. (tostring(err):gsub("^script: ", "")))
  for line in (trace_of(err) or ""):gmatch "[^\n]+" do
    if line:find "^%s+repl:%d" or line:find "%.lua:%d+: in" and not line:find "curia/" then self:say(line) end
  end
end

--- Says that something has failed.
---@param message any
function Session:fail(message)
  complain(self, message)
end

local function as_error(err)
  if errors.is(err) then return err end
  return errors.new("script", tostring(err), { traceback = debug.traceback("", 2) })
end

-- Calls what was typed; gives its values, or nil once its failure was told.
local function collect(self, fn)
  local declared, values = dsl.collecting(function() return table.pack(xpcall(fn, as_error)) end)
  learn(self, declared)
  watch_runs(self)
  if values[1] then return table.pack(table.unpack(values, 2, values.n)) end
  complain(self, values[2])
end

--- Takes a line, or several that belong together.
---@async
---@param text string
---@return boolean unfinished more lines may make it whole
function Session:take(text)
  if text:find "^%s*$" then return false end
  if commands.is(text) then
    commands.run(self, text)
    return false
  end
  local fn, message, unfinished = chunks.compile(text, self.env)
  if not fn then
    if unfinished then return true end
    complain(self, message)
    return false
  end
  local values = collect(self, fn)
  if values then show(self, values) end
  return false
end

--- Runs a Lua file; its councils can be asked by name.
---@async
---@param path string
---@return true?
---@return any err
function Session:load(path)
  local fn, message = loadfile(path, "t", self.env)
  if not fn then return nil, message end
  local values = collect(self, fn)
  if not values then return nil, path .. " failed" end
  if language.is_council(values[1]) then learn(self, { values[1] }) end
  return true
end

return M
