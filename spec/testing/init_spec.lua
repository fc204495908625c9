local curia = require "curia"

describe("require 'curia.testing'", function()
  it("is curia.testing", function()
    assert.equal(require "curia.testing", curia.testing)
    assert.is_nil(curia.testing.no_such_thing)
  end)

  it("has a function for each of its parts", function()
    for name in pairs(getmetatable(curia.testing).__names()) do assert.is_function(curia.testing[name], name) end
  end)
end)
