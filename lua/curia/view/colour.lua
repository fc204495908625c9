--- Colours and weights as SGR sequences, or none at all.
local M = {}

local CODES = {
  bold = 1, dim = 2, red = 31, green = 32, yellow = 33, blue = 34, magenta = 35, cyan = 36,
}

---@class curia.view.Palette each field paints a text; an empty text stays empty
---@field bold fun(text: string): string
---@field dim fun(text: string): string
---@field red fun(text: string): string
---@field green fun(text: string): string
---@field yellow fun(text: string): string
---@field blue fun(text: string): string
---@field magenta fun(text: string): string
---@field cyan fun(text: string): string

local function painter(code)
  return function(text)
    if text == "" then return text end
    return ("\27[%dm%s\27[0m"):format(code, text)
  end
end

local function plain(text)
  return text
end

--- Makes a palette.
---@param coloured boolean
---@return curia.view.Palette
function M.palette(coloured)
  local palette = {}
  for name, code in pairs(CODES) do palette[name] = coloured and painter(code) or plain end
  return palette
end

--- The text without escape sequences.
---@param text string
---@return string
function M.strip(text)
  return (text:gsub("\27%[[%d;?]*%a", ""))
end

return M
