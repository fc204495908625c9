local zsh = require "curia.completion.zsh"
local support = require "spec.completion.support"

describe("completion for zsh", function()
  it("names commands and flags", function() support.names_everything(zsh) end)
end)
