local models = require "curia.data.models"

describe("curia.data.models", function()
  after_each(function() models.configure(nil) end)

  it("knows which models think", function()
    assert.is_true(models.is_reasoning("gpt-5-mini"))
    assert.is_true(models.is_reasoning("openai/o3"))
    assert.is_false(models.is_reasoning("gpt-4o"))
  end)

  it("has no facts about a model that it does not know", function()
    assert.same({}, models.of("somebody-elses-model"))
    assert.same({}, models.of(nil))
  end)

  it("lets the user's facts replace the shipped ones, by exact name", function()
    models.configure { ["gpt-4o"] = { reasoning = true } }
    assert.is_true(models.is_reasoning("gpt-4o"))
    assert.is_true(models.is_reasoning("openai/gpt-4o"))
    assert.is_false(models.is_reasoning("gpt-4o-mini"))
    models.configure(nil)
    assert.is_false(models.is_reasoning("gpt-4o"))
  end)
end)
