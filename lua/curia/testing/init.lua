--- `require "curia.testing"`: aids for the specs of councils, for `curia test` and for anything else.
local PARTS = {
  capture = "curia.testing.capture",
  script = "curia.testing.script",
}

-- Each is loaded when it is first asked for.
return setmetatable({}, {
  __index = function(self, name)
    local part = PARTS[name] and require(PARTS[name])[name]
    rawset(self, name, part)
    return part
  end,
  __names = function() return PARTS end,
})
