--- Cutting texts into the pieces of a stream, never inside a character.
local M = {}

--- Word by word; blanks stay with the word that follows, those at the end with the last one.
---@param text string
---@return string[]
function M.words(text)
  local pieces, last = {}, 0
  for piece, after in text:gmatch("(%s*%S+)()") do
    pieces[#pieces + 1], last = piece, after - 1
  end
  if #pieces == 0 then return text ~= "" and { text } or pieces end
  pieces[#pieces] = pieces[#pieces] .. text:sub(last + 1)
  return pieces
end

-- The first byte of the character that the byte at `at` belongs to.
local function boundary(text, at)
  while at > 1 and (text:byte(at) or 0) & 0xC0 == 0x80 do at = at - 1 end
  return at
end

--- About equal parts, fewer where the text has not got so many characters.
---@param text string
---@param count integer
---@return string[]
function M.parts(text, count)
  local pieces, from = {}, 1
  for i = 1, count do
    local to = i == count and #text or boundary(text, 1 + #text * i // count) - 1
    if to >= from then pieces[#pieces + 1] = text:sub(from, to) end
    from = math.max(from, to + 1)
  end
  return pieces
end

return M
