--- The words that make councils of councils or of known flows. What is behind them is loaded when they are first said.
local dsl = require "curia.language.dsl"

dsl.add_word("auto", function(name) return require("curia.auto").word(name) end)
dsl.add_word("escalate", function(given) return require("curia.escalate").word(given) end)
dsl.add_word("topology", function(name) return require("curia.topologies").word(name) end)

return dsl
