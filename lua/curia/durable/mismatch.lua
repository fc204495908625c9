--- What a resumed run asks for, held against what is on record.
local errors = require "curia.errors"
local inputs = require "curia.durable.inputs"

local M = {}

-- What no effect of the run's leads to.
local FROM_OUTSIDE = {
  time = true, cancel = true, decision = true, begun = true, resume = true, inner = true, left = true,
}

local function lines_of(lines)
  local shown = table.move(lines, 1, math.min(#lines, 8), 1, {})
  if #lines > 8 then shown[9] = ("and %d more"):format(#lines - 8) end
  return table.concat(shown, "\n  ")
end

local function new(path, message, lines)
  return errors.new("replay_mismatch", message, { context = { path = path, difference = lines } })
end

local function not_asked(entry)
  return new(entry.path, ("step %s is on record, and the council does not ask for it any more"):format(entry.path), {})
end

local function changed(entry, call)
  local lines = inputs.difference(entry.input(), call.effect.input)
  return new(entry.path, ("step %s is on record with another input than the council has for it now:\n  %s"):format(
    entry.path, lines_of(lines)), lines)
end

--- Why an entry cannot be handed in, unless it is accepted nevertheless.
---@async
---@param entry curia.durable.Entry from the record, with the `hash` of its input, which `input()` gives
---@param call? curia.Call what the council asks for in its place
---@return curia.Error? err kind `replay_mismatch`, with `context.path` and `context.difference`
function M.of(entry, call)
  if FROM_OUTSIDE[entry.kind] then return nil end
  if not call then return not_asked(entry) end
  if entry.hash and entry.hash ~= call.hash then return changed(entry, call) end
end

return M
