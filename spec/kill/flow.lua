--- The workflow of the campaign of rivals: councils before and after a function.
local councils = require "spec.kill.councils"
local curia = require "curia"

local step = curia.workflows.step

local function question(text)
  return function(trigger) return text .. trigger.question end
end

return curia.workflows.workflow "flow" {
  step "panel" { council = councils.panel, input = question "First: " },
  step "review" { council = councils.review, input = question "Beside it: " },
  step "sum" { after = { "panel", "review" }, run = function(_, input) return { bytes = #input } end,
    input = function(_, prior) return prior.panel.content .. prior.review.content end },
  step "vote" { council = councils.vote, after = "sum", input = function(trigger, prior)
    return ("Last, after %d bytes: %s"):format(prior.sum.bytes, trigger.question)
  end },
}
