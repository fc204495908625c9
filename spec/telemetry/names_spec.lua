local names = require "curia.telemetry.names"

describe("the list of telemetry events", function()
  it("says of each when it comes", function()
    for name, about in pairs(names.all) do
      assert.matches("^[%a_]+%.[%a_.]+$", name)
      assert.is_true(#about.about > 5)
    end
  end)

  it("is that of docs/operations.md", function()
    local file = assert(io.open "docs/operations.md")
    local text = file:read "a"
    file:close()
    for name, about in pairs(names.all) do
      local row = text:match("\n| `" .. name:gsub("%.", "%%.") .. "` |([^\n]*)")
      assert.is_truthy(row, name)
      for _, list in ipairs { about.measurements, about.metadata } do
        for _, word in ipairs(list) do assert.truthy(row:find("`" .. word .. "`", 1, true), name .. ": " .. word) end
      end
    end
  end)
end)
