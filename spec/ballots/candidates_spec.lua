local candidates = require "curia.ballots.candidates"
local R = require "spec.rounds.support"

-- What a function makes of the context of a round that follows others, for each of its members.
local function seen(options, fn, rounds)
  local found = {}
  local module = { name = "judges", options = candidates.options, texts = "ballots", build = function(ctx, member)
    found[member.id] = fn(ctx, member)
    return "x"
  end }
  local all = rounds or { "independent_analysis" }
  all[#all + 1] = { type = module }
  for name, value in pairs(options) do all[#all][name] = value end
  local _, result = R.prompts(all, R.tell)
  return found, result
end

local function labels_of(entries)
  local labels = {}
  for i, entry in ipairs(entries) do labels[i] = entry.label end
  return table.concat(labels, ", ")
end

describe("curia.ballots.candidates", function()
  it("are the others' last answers under labels, the same for all judges", function()
    local found, result = seen({}, function(ctx, member) return candidates.entries(ctx, member) end)
    assert.equal("Response B, Response C", labels_of(found.a))
    assert.equal("Response A, Response C", labels_of(found.b))
    assert.equal("<independent_analysis by c>", found.a[2].text)
    assert.same({ ["Response A"] = "a", ["Response B"] = "b", ["Response C"] = "c" }, result.rounds[2].metadata.label_to_id)
  end)

  it("are no critiques, reviews or ballots", function()
    for _, kind in ipairs { "critique", "peer_review", "vote" } do
      local found = seen({}, function(ctx, member) return candidates.entries(ctx, member) end, { "independent_analysis", kind })
      assert.equal("<independent_analysis by b>", found.a[1].text, kind)
    end
    local found = seen({}, function(ctx, member) return candidates.entries(ctx, member) end,
      { "independent_analysis", "critique", "revise" })
    assert.equal("<revise by b>", found.a[1].text)
  end)

  it("have the judge's own answer where they are told to", function()
    local found = seen({ include_self = true }, function(ctx, member)
      return { entries = candidates.entries(ctx, member), id = candidates.find(ctx, member, "Response A") }
    end)
    assert.equal("Response A, Response B, Response C", labels_of(found.a.entries))
    assert.equal("a", found.a.id)
  end)

  it("are found by their labels, however they are written, and never the judge's own", function()
    local found = seen({}, function(ctx, member)
      local known = {}
      for _, label in ipairs { "Response B", "response b.", "**B**", "Response A", "Response X", 7 } do
        local id, reason = candidates.find(ctx, member, label)
        known[#known + 1] = id or reason
      end
      return known
    end)
    assert.same({ "b", "b", "b", "judges its own answer", "names no answer: Response X", "names no answer: 7" }, found.a)
  end)

  it("may be options, which say themselves what they are", function()
    local options = { "C", "C++", "ship on Friday", "hold on Friday", "a" }
    local found
    local module = { name = "judges", options = { options = { type = "list" } }, build = function(ctx, member)
      found = {}
      for _, label in ipairs { "C++", "c", "**Ship on Friday**", "Friday", "a", "", {} } do
        local id, reason = candidates.find(ctx, member, label)
        found[#found + 1] = id or reason:gsub("table: .*", "a table")
      end
      return "x"
    end }
    local _, result = R.prompts({ { type = module, options = options, members = { "a" } } }, R.tell)
    assert.same({ "C++", "C", "ship on Friday", "names no option: Friday", "a", "names no option: ", "names no option: a table" }, found)
    assert.same(options, result.rounds[1].metadata.options)
    assert.is_nil(result.rounds[1].metadata.label_to_id)
  end)

  it("quote what is no label in part only", function()
    local found = seen({}, function(ctx, member) return select(2, candidates.find(ctx, member, ("x"):rep(1000))) end)
    assert.equal(#"names no answer: " + 80, #found.a)
  end)

  it("know options that read the same", function()
    assert.is_nil(candidates.alike { "C", "C++", "c#" })
    assert.same({ "Ship it", "*ship it.*" }, { candidates.alike { "Ship it", "hold", "*ship it.*" } })
  end)

  it("say so where there are none", function()
    local found = seen({ members = { "a" } }, function(ctx, member) return select(2, candidates.entries(ctx, member)) end,
      { { type = "independent_analysis", members = { "a" } } })
    assert.same({ "validation", "nothing_to_review" }, { found.a.kind, found.a.code })
  end)
end)
