--- The council language: words, lowering, validation, plans, files. What `require "curia"` shows of it.
local council = require "curia.council"
local dsl = require "curia.language.composition"
local from_data = require "curia.language.from_data"
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
  council_from = from_data.council_from,
  validate = validation.validate,
  options = validation.options,
  plan = planning.plan,
  load = loader.load,
  load_text = loader.load_text,
}
