local dialect = require "curia.store.dialect"
local schema = require "curia.store.schema"

describe("the schema", function()
  it("names its steps and makes each table once", function()
    local made = {}
    for _, step in ipairs(schema.steps) do
      assert.is_true(#step.about > 0)
      for _, text in ipairs(step.statements) do
        local name = text:match "^CREATE TABLE {([%w_]+)}"
        if name then
          assert.is_nil(made[name], name)
          made[name] = true
        end
      end
    end
    for name in pairs(made) do assert.is_not_nil(table.concat(dialect.tables, " "):find(name, 1, true), name) end
  end)
end)
