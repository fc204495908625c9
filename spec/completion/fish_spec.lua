local fish = require "curia.completion.fish"
local support = require "spec.completion.support"

describe("completion for fish", function()
  it("names commands and flags", function() support.names_everything(fish) end)
end)
