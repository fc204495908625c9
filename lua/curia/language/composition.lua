--- The words that make councils of councils or of known flows, and workflows. What is behind them is loaded when they
--- are first said.
local dsl = require "curia.language.dsl"

dsl.add_word("auto", function(name) return require("curia.auto").word(name) end)
dsl.add_word("escalate", function(given) return require("curia.escalate").word(given) end)
dsl.add_word("topology", function(name) return require("curia.topologies").word(name) end)
dsl.add_word("step", function(name) return require("curia.workflows.words").step(name) end)
dsl.add_word("workflow", function(name) return require("curia.workflows.words").workflow(dsl.collect, name) end)

return dsl
