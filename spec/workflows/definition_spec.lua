local curia = require "curia"
local definition = require "curia.workflows.definition"
local words = require "curia.language".words

local step, workflow = words.step, words.workflow

local function nothing() end

local function faults_of(body)
  local _, faults = workflow "w"(body):validate()
  local told = {}
  for i, fault in ipairs(faults or {}) do told[i] = ("%s %s: %s"):format(fault.path, fault.code, fault.message) end
  return told
end

describe("a workflow", function()
  it("keeps its steps in their order, with their policies and defaults", function()
    local made = workflow "release" {
      about = "From a draft to a release.",
      step "draft" { council = "panel" },
      step "check" { run = nothing, after = "draft", on_failure = "retry", never_retry = { "auth" }, backoff = "2s" },
      step "sign" { approval = true, after = { "check", "draft" } },
    }
    assert.is_true(made:validate())
    assert.is_true(definition.is(made))
    local draft, check, sign = table.unpack(made.plan.steps)
    assert.same({ "draft", "council", "abort", 3, 5000 },
      { draft.name, draft.kind, draft.on_failure, draft.max_attempts, draft.backoff_ms })
    assert.same({ "function", "retry", 2000, "auth" },
      { check.kind, check.on_failure, check.backoff_ms, check.never_retry[1] })
    assert.same({ "approval", "check", "draft" }, { sign.kind, sign.after[1], sign.after[2] })
    assert.equal("workflow 'release' (3 steps)", tostring(made))
  end)

  it("takes its steps as a list too, and leaves out what a condition has left out", function()
    local made = workflow "w" { steps = { { name = "a", run = nothing }, step "b" { run = nothing, after = "a" } } }
    assert.same({ "a", "b" }, { made.steps[1].name, made.steps[2].name })
    made = workflow "w" { false, step "a" { run = nothing } }
    assert.is_true(made:validate())
  end)

  it("has the same hash for the same shape, and another one for another", function()
    local function hash(more)
      return workflow "w" { step "a" { run = nothing }, step "b" { run = nothing, after = more } }.hash
    end
    assert.equal(hash "a", hash { "a" })
    assert.not_equal(hash "a", hash(nil))
  end)
end)

describe("the faults of a workflow", function()
  it("are told all at once, with what was meant", function()
    assert.same({
      "abuot unknown_field: unknown field 'abuot' of workflow 'w'; did you mean 'about'?",
      "steps[1].on_failure out_of_range: on_failure of step 'a' must be one of abort, retry, pause, not 'retyr'; "
        .. "did you mean 'retry'?",
      "steps[2].aftr unknown_field: unknown field 'aftr' of step 'b'; did you mean 'after'?",
      "steps[2] missing: step 'b' has none of council, run and approval",
    }, faults_of { abuot = "x", step "a" { run = nothing, on_failure = "retyr" }, step "b" { aftr = "a" } })
  end)

  it("stand where their step is declared, or the workflow", function()
    local line = debug.getinfo(1, "l").currentline
    local _, faults = workflow "w" {
      abuot = "x",
      step "a" { run = nothing, aftr = "b" },
      steps = { { name = "c" } },
    }:validate()
    local places = {}
    for i, fault in ipairs(faults) do places[i] = fault.at:match "spec/workflows/definition_spec.lua:(%d+)$" - line end
    assert.same({ 1, 3, 1 }, places)
  end)

  it("of the graph are told beside the others", function()
    assert.same({
      "steps[1].aftr unknown_field: unknown field 'aftr' of step 'a'; did you mean 'after'?",
      "steps[2].after[1] unknown_step: step 'b' is after 'c', which is no step; did you mean 'a'?",
    }, faults_of { step "a" { run = nothing, aftr = "b" }, step "b" { run = nothing, after = "c" } })
    assert.equal(1, #faults_of { step "a" { run = nothing, after = 5 } })
  end)

  it("name a dependency that is no step, and the nearest one", function()
    assert.same({ "steps[2].after[1] unknown_step: step 'b' is after 'drfat', which is no step; did you mean 'draft'?" },
      faults_of { step "draft" { run = nothing }, step "b" { run = nothing, after = { "drfat" } } })
  end)

  it("name a circle, of one step too", function()
    assert.same({ "steps cycle: steps wait for each other: b -> c -> b" }, faults_of {
      step "a" { run = nothing, after = { "b" } }, step "b" { run = nothing, after = { "c" } },
      step "c" { run = nothing, after = { "b" } },
    })
    assert.same({ "steps cycle: steps wait for each other: a -> a" }, faults_of { step "a" { run = nothing, after = "a" } })
  end)

  it("are a name given twice, no steps, and what is no step", function()
    assert.same({ "steps[2].name duplicate_id: there are two steps 'a'" },
      faults_of { step "a" { run = nothing }, step "a" { run = nothing } })
    assert.same({ "steps empty: workflow 'w' has no steps" }, faults_of {})
    assert.same({ 'steps[1] wrong_type: expected step "name" { ... } here, not a string' }, faults_of { "a" })
    assert.matches("not a curia.council", faults_of { curia.council "c" {} }[1])
  end)

  it("are names that cannot be part of a path or of a run's id", function()
    for _, name in ipairs { "a.b", "a b", ("x"):rep(65) } do
      assert.matches("must have 1 to 64 letters", faults_of { step(name) { run = nothing } }[1])
    end
  end)

  it("are fields that contradict each other", function()
    assert.matches("does one thing", faults_of { step "a" { run = nothing, council = "panel" } }[1])
    assert.matches('max_attempts of step \'a\' needs on_failure = "retry"',
      faults_of { step "a" { run = nothing, max_attempts = 2 } }[1])
    assert.matches("a refusal is not tried again", faults_of { step "a" { approval = true, on_failure = "retry" } }[1])
    assert.matches("timeout_ms of step 'a' needs a function", faults_of { step "a" { council = "p", timeout = "1s" } }[1])
    assert.matches("options of step 'a' needs a council", faults_of { step "a" { run = nothing, options = {} } }[1])
  end)

  it("are a path to what may not be done yet", function()
    local a = step "a" { run = nothing }
    assert.matches("'prior.x.content' speaks of 'x', which is no step",
      faults_of { a, step "b" { run = nothing, after = "a", input = { text = "prior.x.content" } } }[1])
    assert.matches("needs 'a' in `after`", faults_of { a, step "b" { run = nothing, input = "prior.a.content" } }[1])
    assert.same({}, faults_of { a, step "b" { run = nothing, after = "a" },
      step "c" { run = nothing, after = "b", input = "prior.a.content" } })
  end)

  it("are an input that has no data form, and a subject that is no path", function()
    assert.matches("has no data form", faults_of { step "a" { run = nothing, input = { x = io.stdout } } }[1])
    assert.matches('"trigger.id", not "pr"', faults_of { subject = "pr", step "a" { run = nothing } }[1])
  end)

  it("come as an error of kind validation", function()
    local err = workflow "w" {}:fault()
    assert.same({ "validation", "empty" }, { err.kind, err.code })
    assert.is_nil(workflow "w" { step "a" { run = nothing } }:fault())
  end)
end)

describe("the words", function()
  it("raise where they are misused", function()
    assert.error_matches(function() step {} end, "bad argument #1 to 'step'")
    assert.error_matches(function() workflow "" end, "bad argument #1 to 'workflow'")
    assert.error_matches(function() step "a" "b" end, "step 'a' must be followed by { ... }, not by a string")
    assert.error_matches(function() workflow "a"(nothing) end, "workflow 'a' must be followed by { ... }")
  end)
end)
