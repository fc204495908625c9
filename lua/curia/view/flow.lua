--- A growing text, broken into lines as it comes: what is broken once is not looked at again.
local width = require "curia.view.width"

local M = {}

---@class curia.view.Flow
---@field columns integer
---@field keep integer how many finished lines are remembered
local Flow = {}
Flow.__index = Flow

--- Makes an empty flow.
---@param columns integer at least 2
---@param keep? integer how many finished lines are remembered (200)
---@return curia.view.Flow
function M.new(columns, keep)
  return setmetatable({ columns = columns, keep = keep or 200, lines = {}, line = "", bytes = "" }, Flow)
end

local function forget_oldest(self)
  local surplus = #self.lines - self.keep
  if surplus < self.keep then return end
  table.move(self.lines, surplus + 1, #self.lines, 1)
  for i = #self.lines, self.keep + 1, -1 do self.lines[i] = nil end
end

local function add_paragraph(self, text, ended)
  local broken = width.wrap(self.line .. text, self.columns)
  local last = ended and #broken or #broken - 1
  table.move(broken, 1, last, #self.lines + 1, self.lines)
  self.line = ended and "" or broken[#broken]
end

--- Adds text, as it comes from a member: cut anywhere, not clean.
---@param text string
function Flow:feed(text)
  local whole, rest = width.split_incomplete(self.bytes .. text)
  self.bytes = rest
  whole = width.clean(whole)
  local at = 1
  for paragraph, stop in whole:gmatch("([^\n]*)\n()") do
    add_paragraph(self, paragraph, true)
    at = stop
  end
  add_paragraph(self, whole:sub(at), false)
  forget_oldest(self)
end

--- The last lines, the unfinished one included.
---@param count integer
---@return string[]
function Flow:tail(count)
  local all = #self.lines + (self.line ~= "" and 1 or 0)
  local tail = {}
  for i = math.max(1, all - count + 1), all do tail[#tail + 1] = self.lines[i] or self.line end
  return tail
end

return M
