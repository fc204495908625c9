local lazy = require "curia.lazy"

describe("curia.lazy", function()
  it("loads a module when something of it is asked for", function()
    local loads = 0
    package.preload["spec.lazy_example"] = function()
      loads = loads + 1
      return { answer = function() return 42 end }
    end
    local module = lazy "spec.lazy_example"
    assert.equal(0, loads)
    assert.equal(42, module.answer())
    assert.equal(42, module.answer())
    assert.is_nil(module.nothing)
    assert.equal(1, loads)
    package.preload["spec.lazy_example"], package.loaded["spec.lazy_example"] = nil, nil
  end)
end)
