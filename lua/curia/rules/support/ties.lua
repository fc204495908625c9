--- Breaks ties. A tie that was broken stays one: the decision says `tie`, and `detail.tie_break` how.
local M = {}

local function by_function(tied, choose)
  local chosen = choose(table.move(tied, 1, #tied, 1, {}))
  for _, id in ipairs(tied) do
    if id == chosen then return id end
  end
  error(("tie_break gave '%s', which is none of the tied options"):format(tostring(chosen)), 0)
end

local BREAK = {
  first = function(tied) return tied[1] end,
  random = function(tied, opts) return tied[math.floor(opts.random() * #tied) + 1] end,
  -- The one that asks the chair is whoever called: a rule only lists who is tied.
  chair = function() return nil end,
}

--- What breaks the tie of one decision, as `opts.tie_break` says. It asks a function or the dice once,
--- however often it is called.
---@param opts {tie_break?: string|function, random?: fun(): number}
---@return fun(tied: string[]): string?, string winner (nil: the chair's to say) and how it was chosen
function M.breaker(opts)
  local how, done, winner = opts.tie_break or "first", false, nil
  return function(tied)
    if not done then
      done = true
      if type(how) == "function" then winner, how = by_function(tied, how), "function"
      else winner = BREAK[how](tied, opts) end
    end
    return winner, how
  end
end

return M
