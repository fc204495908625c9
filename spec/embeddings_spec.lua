local curia = require "curia"
local embeddings = require "curia.embeddings"
local helper = require "spec.helper"

-- An adapter with embeddings of its own, asked over HTTP from the mock server's 404: enough to see errors.
describe("embeddings.of", function()
  local ctx = { _run = { add_usage = function() end } }

  it("takes a function's vectors, one for each text", function()
    assert.same({ { 1 }, { 2 } }, embeddings.of(ctx, { "a", "b" }, function() return { { 1 }, { 2 } } end))
    local _, err = embeddings.of(ctx, { "a", "b" }, function() return { { 1 } } end)
    assert.equal("validation", err.kind)
    assert.equal("script", select(2, embeddings.of(ctx, { "a" }, function() error "x" end)).kind)
  end)

  it("gives the provider's error", function()
    curia.config { providers = { spec_embed = { adapter = "openai_chat", base_url = "http://127.0.0.1:9" } } }
    helper.run(function()
      local vectors, err = embeddings.of(ctx, { "a" }, { provider = "spec_embed", model = "m" })
      assert.is_nil(vectors)
      assert.same({ "transient", "spec_embed" }, { err.kind, err.provider })
    end)
  end)
end)
