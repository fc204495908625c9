--- `require "curia.testing"`: aids for the specs of councils, for `curia test` and for anything else.
local PARTS = {
  assert_round_completed = "curia.testing.assertions", assert_member = "curia.testing.assertions",
  assert_decision = "curia.testing.assertions", assert_no_failures = "curia.testing.assertions",
  capture = "curia.testing.capture", deterministic = "curia.testing.deterministic",
  record = "curia.testing.record", replay = "curia.testing.replay",
  script = "curia.testing.script", virtual = "curia.testing.virtual",
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
