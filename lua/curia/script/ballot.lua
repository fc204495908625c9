--- Canned ballots: what is asked for is told by the form that the prompts of the rounds give.
local json = require "curia.json"

local M = {}

local function ordering(labels)
  return #labels > 0 and { ordering = json.array(labels) } or nil
end

-- Options stand in a list, one a line, where there are no labels.
local function choice(labels, prompt)
  local first = labels[1] or prompt:match("These are the options:\n%- ([^\n]+)") or prompt:match("\n%- ([^\n]+)")
  return first and { choice = first, confidence = 0.75 }
end

-- "- clarity (1 to 10): it can be ...": the best label gets the greatest score.
local function scores(labels, prompt)
  local by_label = json.object()
  for place, label in ipairs(labels) do
    by_label[label] = json.object()
    for name, low, high in prompt:gmatch("\n%- ([^\n(]+) %((%-?[%d.]+) to (%-?[%d.]+)%)") do
      by_label[label][name] = tonumber(high) - (tonumber(high) - tonumber(low)) * (place - 1) / (#labels + 1)
    end
  end
  return { scores = by_label }
end

local FORMS = { { '{"choice":', choice }, { '{"scores":', scores }, { "ordering", ordering } }

--- The ballot that a prompt asks for, or nil where it asks for none.
---@param prompt string
---@param labels string[] of the answers to be judged, the best first
---@return table?
function M.of(prompt, labels)
  for _, form in ipairs(FORMS) do
    if prompt:find(form[1], 1, true) then return form[2](labels, prompt) end
  end
end

return M
