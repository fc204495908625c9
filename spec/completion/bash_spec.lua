local bash = require "curia.completion.bash"
local support = require "spec.completion.support"

describe("completion for bash", function()
  it("names commands and flags", function() support.names_everything(bash) end)
end)
