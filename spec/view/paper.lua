--- A terminal on paper: takes what the screen writes and knows what would stand there. It has the few sequences
--- that the screen uses, and refuses every other.
local width = require "curia.view.width"

local M = {}

local Paper = {}
Paper.__index = Paper

function M.new(columns, rows)
  return setmetatable({
    columns = columns, rows = rows, lines = { {} }, top = 1, row = 1, column = 1, writes = 0,
    cursor = true, wrap = true,
  }, Paper)
end

local function line_feed(self)
  self.row = self.row + 1
  self.lines[self.row] = self.lines[self.row] or {}
  self.top = math.max(self.top, self.row - self.rows + 1)
end

local function put(self, cluster, columns)
  if self.column + columns - 1 > self.columns then
    if not self.wrap then return end
    line_feed(self)
    self.column = 1
  end
  self.lines[self.row][self.column] = cluster
  for i = 1, columns - 1 do self.lines[self.row][self.column + i] = "" end
  self.column = self.column + columns
end

local function erase_below(self)
  local line = self.lines[self.row]
  for column in pairs(line) do
    if column >= self.column then line[column] = nil end
  end
  for row = self.row + 1, #self.lines do self.lines[row] = {} end
end

local CSI = {
  A = function(self, n) self.row = math.max(self.top, self.row - n) end,
  B = function(self, n)
    self.row = math.min(self.top + self.rows - 1, self.row + n)
    for row = 1, self.row do self.lines[row] = self.lines[row] or {} end
  end,
  G = function(self, n) self.column = n end,
  J = function(self) erase_below(self) end,
  K = function(self) self.lines[self.row] = {} end,
  m = function() end,
}

local MODES = {
  ["?25h"] = function(self) self.cursor = true end, ["?25l"] = function(self) self.cursor = false end,
  ["?7h"] = function(self) self.wrap = true end, ["?7l"] = function(self) self.wrap = false end,
  ["?2026h"] = function() end, ["?2026l"] = function() end,
}

local function sequence(self, parameters, final)
  if final == "h" or final == "l" then return assert(MODES[parameters .. final], parameters .. final)(self) end
  assert(CSI[final], "unknown sequence " .. parameters .. final)(self, tonumber(parameters) or 1)
end

local function plain(self, text)
  for piece in text:gmatch("[\r\n]?[^\r\n]*") do
    if piece:sub(1, 1) == "\r" then self.column = 1 end
    if piece:sub(1, 1) == "\n" then line_feed(self) end
    for first, last, columns in width.clusters((piece:gsub("^[\r\n]", ""))) do
      put(self, piece:gsub("^[\r\n]", ""):sub(first, last), columns)
    end
  end
end

function Paper:write(text)
  self.writes = self.writes + 1
  local at = 1
  while at <= #text do
    local from, to, parameters, final = text:find("\27%[([%d;?]*)(%a)", at)
    plain(self, text:sub(at, (from or #text + 1) - 1))
    if from then sequence(self, parameters, final) end
    at = (to or #text) + 1
  end
end

local function text_of(line)
  local last, cells = 0, {}
  for column in pairs(line) do last = math.max(last, column) end
  for column = 1, last do cells[column] = line[column] or " " end
  return (table.concat(cells):gsub(" +$", ""))
end

--- Everything that was ever written, scrolled away or not, without empty lines at the end.
function Paper:text()
  local lines = {}
  for i, line in ipairs(self.lines) do lines[i] = text_of(line) end
  while lines[#lines] == "" do lines[#lines] = nil end
  return lines
end

return M
