--- The council language: words, lowering, validation, plans, files. What `require "curia"` shows of it.
local lazy = require "curia.lazy"
local council = require "curia.council"
local dsl = require "curia.language.composition"
local from_data = lazy "curia.language.from_data"
local loader = require "curia.language.loader"
local planning = require "curia.language.plan"
local secrets = require "curia.language.secrets"
local tools = require "curia.tools"
local validation = require "curia.language.validate"

return {
  council = dsl.council,
  member = dsl.member,
  round = dsl.round,
  chair = dsl.chair,
  tool = dsl.tool,
  bm25 = tools.words.bm25,
  http_get = tools.words.http_get,
  mcp = tools.words.mcp,
  env = secrets.env,
  cmd = secrets.cmd,
  file = secrets.file,
  words = dsl.words,
  add_word = dsl.add_word,
  install = dsl.install,
  is_council = council.is,
  --- A council from its data form. It refers to functions, tools and rounds of one's own by registered names only;
  --- names that are not registered (yet) are left to `curia.validate`.
  ---@param source string|table JSON text or a table, which is copied
  ---@param config? curia.Config the shared one
  ---@return curia.Council?
  ---@return curia.Error? err kind `invalid_council`; every fault is in `context.faults`
  council_from = function(...) return from_data.council_from(...) end,
  validate = validation.validate,
  options = validation.options,
  plan = planning.plan,
  load = loader.load,
  load_text = loader.load_text,
}
