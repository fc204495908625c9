local composition = require "curia.language.composition"

describe("the words of composition", function()
  it("stand beside the others, and complain as they do", function()
    local env = composition.install {}
    assert.is_function(env.council)
    assert.error_matches(function() env.auto(1) end, "bad argument #1 to 'auto'", 1, true)
    assert.error_matches(function() env.escalate(1) end, "bad argument #1 to 'escalate'", 1, true)
    assert.error_matches(function() env.topology "votin" end, "did you mean 'voting'", 1, true)
  end)
end)
