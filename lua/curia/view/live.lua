--- The view that moves: what is over scrolls up, what goes on is painted below it.
local clock = require "curia.core.clock"
local colour = require "curia.view.colour"
local layout = require "curia.view.layout"
local report = require "curia.view.report"
local screen = require "curia.view.screen"
local state = require "curia.view.state"
local summary = require "curia.view.summary"
local task = require "curia.task"
local terminal = require "curia.view.terminal"
local uv = require "luv"
local width = require "curia.view.width"

local M = {}

local FRAME_MS = 50 -- at most twenty pictures a second

---@class curia.view.Live
---@field tokens true it shows answers as they come
---@field state curia.view.State
---@field terminal curia.view.Terminal
---@field screen curia.view.Screen
---@field away? true between Ctrl-Z and fg
---@field held? string[] while somebody is asked on the terminal: the lines that wait to stand above the picture
---@field free userdata signalled when nobody is asked any more
local Live = { __name = "curia.view.live", tokens = true }
Live.__index = Live

local function paint_frame(self)
  if self.held or self.away or self.terminal:busy() then return end
  local columns, rows = self.terminal:size()
  self.screen:draw(layout.live(self.state, clock.ms(), columns, rows, self.paint))
end

local function stand(self, lines)
  if self.held then return table.move(lines, 1, #lines, #self.held + 1, self.held) end
  self.screen:commit(lines)
end

local function on_signal(self, name, fn)
  local handle = uv.new_signal()
  handle:start(name, fn)
  self.handles[#self.handles + 1] = handle
end

local function resized(self)
  if self.held or self.away then return end
  local columns = self.terminal:size()
  self.screen:reflow(columns)
  paint_frame(self)
end

-- Whoever stops the program with Ctrl-Z wants the terminal meanwhile. Nothing is painted before it is taken again:
-- the timer may be due first.
local function suspend(self)
  if not self.held and not self.away then
    self.away = true
    self.screen:lend()
  end
  uv.kill(uv.os_getpid(), "sigstop")
end

local function resume(self)
  if not self.away then return end
  self.away = nil
  self.screen:retake()
  paint_frame(self)
end

-- A picture that fails is reported once, not twenty times a second.
local function paint_or_stop(self, timer)
  local ok, err = xpcall(paint_frame, debug.traceback, self)
  if ok then return end
  timer:stop()
  error(err, 0)
end

local function start(self)
  local timer = uv.new_timer()
  timer:start(FRAME_MS, FRAME_MS, function() paint_or_stop(self, timer) end)
  self.handles = { timer }
  on_signal(self, "sigwinch", function() resized(self) end)
  on_signal(self, "sigtstp", function() suspend(self) end)
  on_signal(self, "sigcont", function() resume(self) end)
end

local function intro(about, paint)
  local lines = { paint.bold(width.clean(about.council)) }
  for _, line in ipairs(about.question and width.wrap_all(width.clean(about.question), 100) or {}) do
    lines[#lines + 1] = line
  end
  if about.offline then lines[#lines + 1] = paint.yellow(report.OFFLINE) end
  lines[#lines + 1] = ""
  return lines
end

--- Opens the view on the terminal behind standard error.
---@param about table as for `state.new`
---@return curia.view.Live?
---@return string? message
function M.open(about)
  local tty, message = terminal.open()
  if not tty then return nil, message end
  local view = setmetatable({
    terminal = tty, state = state.new(about, clock.ms()), paint = colour.palette(terminal.coloured()),
    screen = screen.new(function(text) tty:write(text) end), free = task.signal(),
  }, Live)
  view.screen:commit(intro(about, view.paint))
  start(view)
  return view
end

local on = {}

function on.round_completed(self, event)
  local round = self.state.round
  if not round then return end
  self.state:leave_round()
  if not self.held then self.screen:draw {} end
  stand(self, summary.round(self.state, round, event.result, clock.ms(), (self.terminal:size()), self.paint))
end

function on.log(self, event)
  self:say(("%s: %s"):format(event.level, event.text))
end

--- Takes an event in; it is shown with the next picture.
---@param event curia.Event
function Live:event(event)
  self.state:apply(event, clock.ms())
  local handler = on[event.type]
  if handler and self.state:is_own(event) then handler(self, event) end
end

--- Lets a line of the program stand above the picture.
---@param text string
function Live:say(text)
  stand(self, width.wrap_all(width.clean(text), 100))
end

local Loan = {}

function Loan:__close()
  local view = self.view
  local held = view.held
  view.held = nil
  view.free:notify()
  if view.closed then return end
  view.screen:retake()
  view.screen:commit(held)
  paint_frame(view)
end

--- Lends the terminal to `fn`, which may ask a person and wait for the answer. The picture is gone meanwhile; what
--- the run does is shown afterwards. Who asks at the same time waits.
---@async
---@param fn fun(...): ...
---@return any ... what `fn` gives
function Live:ask(fn, ...)
  while self.held do self.free:wait() end
  self.held = {}
  self.screen:lend()
  local _ <close> = setmetatable({ view = self }, Loan)
  return fn(...)
end

local function stop(self)
  for _, handle in ipairs(self.handles) do
    if not handle:is_closing() then handle:close() end
  end
  self.closed = true
  self.screen:close()
end

--- Gives the terminal back and waits until it has everything; idempotent.
---@async
function Live:close()
  stop(self)
  self.terminal:drain()
  self.terminal:close()
end

-- Where nothing may wait any more (an error, a cancelled task), the cursor comes back all the same.
function Live:__close()
  stop(self)
  self.terminal:close()
end

return M
