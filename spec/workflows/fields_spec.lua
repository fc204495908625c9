local check = require "curia.language.check"
local fields = require "curia.workflows.fields"

local TYPES = { string = 1, boolean = 1, integer = 1, ["function"] = 1, list = 1, council = 1, record = 1, duration = 1,
  any = 1 }

describe("the fields of workflows", function()
  it("have known types and a line that explains them", function()
    for _, record in ipairs { fields.workflow, fields.step } do
      for name, rule in pairs(record) do
        for _, kind in ipairs(check.types(rule)) do assert.truthy(TYPES[kind], name) end
        assert.truthy(#rule.doc > 0 and #rule.doc < 80, name)
        if rule.alias then assert.is_table(record[rule.alias]) end
      end
    end
  end)

  it("take those options of runs that a workflow does not say itself", function()
    assert.is_table(fields.run_options.budget)
    for _, name in ipairs { "run_id", "namespace", "group", "owned", "durability", "stack", "env" } do
      assert.is_nil(fields.run_options[name])
    end
  end)
end)
