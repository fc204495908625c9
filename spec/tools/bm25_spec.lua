local bm25 = require "curia.tools.bm25"
local curia = require "curia"
local json = require "curia.json"
local T = require "spec.engine.support"

local CATS = {
  "The cat sat on the mat", "A dog barked at the cat and the cat ran", { text = "Dogs and wolves", meta = { page = 3 } },
}

local function texts(found)
  local list = {}
  for i, item in ipairs(found) do list[i] = item.text end
  return list
end

describe("the words that bm25 counts", function()
  it("are in lower case, of two characters or more, without stop words", function()
    assert.same({ "cat", "sat", "mat", "x9" }, bm25.tokens "The CAT sat on a mat, x9!")
  end)

  it("are those of other alphabets too", function()
    assert.same({ "über", "ωmega", "москва", "ёлка", "日本" },
      bm25.tokens "ÜBER Ωmega МОСКВА ЁЛКА 日本")
    assert.same({ "ok", "\xFFbad" }, bm25.tokens "ok \xFFbad")
  end)
end)

describe("bm25", function()
  it("scores as the formula says", function()
    -- N = 3, "cat" in 2 documents: idf = ln(1 + 1.5 / 2.5); lengths 3, 5, 2 without stop words and letters.
    local idf, mean = math.log(1.6), 10 / 3
    local function score(count, length) return idf * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * length / mean)) end
    local found = bm25.new(CATS).run { query = "cat" }
    assert.same({ CATS[2], CATS[1] }, texts(found))
    assert.is_true(math.abs(found[1].score - score(2, 5)) < 1e-12)
    assert.is_true(math.abs(found[2].score - score(1, 3)) < 1e-12)
  end)

  it("gives text, meta and score by rank, equal scores in the order of the documents", function()
    local found = bm25.new(CATS).run { query = "wolves" }
    assert.same({ "Dogs and wolves", 3, 1 }, { found[1].text, found[1].meta.page, #found })
    found = bm25.new({ "same words", "same words", "same words" }).run { query = "words", top_k = 2 }
    assert.equal(2, #found)
    assert.equal(found[1].score, found[2].score)
  end)

  it("gives four at most unless told, and never more than there are", function()
    local many = {}
    for i = 1, 9 do many[i] = "word number " .. i end
    local tool = bm25.new { documents = many }
    assert.equal(4, #tool.run { query = "word" })
    assert.equal(9, #tool.run { query = "word", top_k = 50 })
    assert.equal(0, #tool.run { query = "absent" })
    assert.equal("[]", json.encode(tool.run { query = "the" }))
    assert.equal(0, #bm25.new({ documents = {} }).run { query = "word" })
  end)

  it("is checked when it is made", function()
    assert.error_matches(function() bm25.new { documents = CATS, k2 = 1 } end, "unknown field 'k2'; did you mean 'k1'")
    assert.error_matches(function() bm25.new { 5 } end, "document 1 is neither a text")
    assert.error_matches(function() bm25.new() end, "no documents")
  end)

  it("is a tool that a member calls", function()
    local told
    T.script(function(request)
      local last = request.messages[#request.messages]
      if last.role == "tool" then told = json.decode(last.content) end
      return last.role == "tool" and "found" or { tool_calls = { { name = "bm25", arguments = { query = "wolves" } } } }
    end)
    local result = T.ask { ids = { "a" }, tools = { curia.bm25(CATS) } }
    assert.equal("ok", result.status)
    assert.equal("Dogs and wolves", told[1].text)
  end)
end)
