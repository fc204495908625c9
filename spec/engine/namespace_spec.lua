local curia = require "curia"
local helper = require "spec.helper"
local namespaces = require "curia.engine.namespace"
local task = require "curia.task"
local T = require "spec.engine.support"

local slow = { content = "slow", delay_ms = 1000 }

describe("a namespace", function()
  it("is the same one for its name, while anything is in it", function()
    local one = namespaces.of "spec"
    assert.equal(one, namespaces.of "spec")
    assert.not_equal(one, namespaces.of "another")
  end)

  it("is gone once nothing has hold of it", function()
    namespaces.of("passing").mark = true
    collectgarbage()
    assert.is_nil(namespaces.of("passing").mark)
  end)

  it("keeps apart runs of one id, in every function that takes one", function()
    helper.virtual(function()
      T.script(slow)
      local a = curia.start(T.council {}, "a?", { run_id = "same", namespace = "A" })
      local b = curia.start(T.council {}, "b?", { run_id = "same", namespace = "B" })
      assert.not_equal(a, b)
      local A, B = { namespace = "A" }, { namespace = "B" }
      assert.equal(a, curia.find("same", A))
      assert.equal(b, curia.find("same", B))
      assert.equal("unknown_run", select(2, curia.find "same").kind)
      assert.equal("A", curia.state("same", A).namespace)
      local ended = {}
      curia.on_end("same", function(run) ended[#ended + 1] = run.namespace.name end, B)
      local seen = {}
      curia.subscribe("same", function(event) seen[#seen + 1] = event end, { namespace = "B" })
      assert.is_true(curia.cancel("same", "enough", A))
      assert.equal("enough", select(2, curia.await("same", nil, A)).message)
      assert.equal("timeout", select(2, curia.await("same", 10, B)).kind)
      assert.equal("ok", curia.await("same", B).status)
      assert.equal("ok", curia.result("same", B).status)
      task.sleep(0)
      assert.same({ "B" }, ended)
      for event in curia.events("same", { namespace = "B", from_seq = 1 }) do
        assert.equal(event.seq and seen[event.seq].type, event.type)
      end
      assert.equal("not_pending", select(2, curia.approve("same", "x", true, B)).code)
      curia.terminate("same", A)
      assert.equal(b, curia.find("same", B))
    end)
  end)

  it("takes a handle in place of an id, wherever the run is", function()
    helper.virtual(function()
      T.script(slow)
      local run = curia.start(T.council {}, "a?", { namespace = "A" })
      assert.equal(run, curia.find(run))
      assert.equal("pending", curia.state(run).status)
      assert.is_true(curia.cancel(run))
      assert.equal("cancelled", select(2, curia.await(run)).kind)
    end)
  end)

  it("has a list of its own", function()
    helper.virtual(function()
      T.script "yes"
      local run = curia.start(T.council {}, "a?", { namespace = "listed" })
      run:await()
      assert.equal(run.id, curia.list { namespace = "listed" }[1].run_id)
      assert.same({}, curia.list { namespace = "unheard of" })
      for _, state in ipairs(curia.list()) do assert.equal("default", state.namespace) end
    end)
  end)

  it("may be the configuration's", function()
    helper.virtual(function()
      T.script "yes"
      curia.config { namespace = "tenant" }
      local run = curia.start(T.council {}, "a?", { run_id = "configured" })
      assert.equal("tenant", run:state().namespace)
      assert.equal(run, curia.find "configured")
      curia.config { namespace = "default" }
      assert.is_nil((curia.find "configured"))
      assert.equal(run, curia.find("configured", { namespace = "tenant" }))
      run:await()
    end)
  end)

  it("is that of the outer run for those inside of it, which may not choose", function()
    T.script "yes"
    local inner = T.council { name = "inner" }
    local outer = T.council { run = function(ctx)
      local _, err = ctx:run(inner, "i?", { namespace = "elsewhere" })
      assert.equal("validation", err.kind)
      _, err = ctx:run(inner, "i?", { group = "elsewhere" })
      assert.equal("validation", err.kind)
      local result = ctx:run(inner, "i?")
      return curia.find(result.run_id, { namespace = "N" }):state().namespace
    end }
    assert.equal("N", curia.run(outer, "o?", { namespace = "N" }).final.content)
  end)

  it("has a name that can stand in a path", function()
    local _, err = curia.start(T.council {}, "a?", { namespace = "a/b" })
    assert.equal("validation", err.kind)
    for _, name in ipairs { "find", "state", "await", "cancel", "terminate" } do
      assert.error_matches(function() curia[name]("x", { namespce = "A" }) end,
        "^" .. name .. ": unknown field 'namespce'; did you mean 'namespace'%?$")
    end
  end)
end)
