local lexicon = require "curia.data.bias"

describe("the lexicon of groups", function()
  it("has terms that can be found in text, each once on its axis", function()
    for _, axis in ipairs(lexicon) do
      local seen = {}
      for group, terms in pairs(axis.groups) do
        for _, term in ipairs(terms) do
          assert.matches("^[%l]+[%l ]*$", term, group)
          assert.is_nil(seen[term], term)
          seen[term] = true
        end
      end
    end
  end)
end)
