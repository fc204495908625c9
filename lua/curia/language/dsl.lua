--- The words of the council language. Each word makes a declaration; `council` makes the council.
local council = require "curia.council"
local lower = require "curia.language.lower"
local secrets = require "curia.language.secrets"
local tools = require "curia.tools"

local M = {}

local Declaration = lower.Declaration

local function article(value)
  return type(value) == "table" and "a table" or "a " .. type(value)
end

-- `member "id"` waits for its braces; whoever forgets to call it again has declared it without fields.
function Declaration:__call(body)
  if self.body then error(("%s '%s' has a body already"):format(self.kind, tostring(self.key)), 2) end
  if type(body) ~= "table" then
    error(("%s '%s' must be followed by { ... }, not by %s"):format(self.kind, tostring(self.key),
      article(body)), 2)
  end
  self.body = body
  return self
end

function Declaration:__tostring()
  return ("%s '%s'"):format(self.kind, tostring(self.key))
end

local function declaration(kind, key, body)
  return setmetatable({ kind = kind, key = key, body = body }, Declaration)
end

local function misuse(word, value, level)
  error(("bad argument #1 to '%s' (a name or { ... } expected, not %s)"):format(word, article(value)),
    level + 1)
end

--- `member "id" { ... }`, or `member { id = "id", ... }`.
---@param first string|table
---@return table declaration for a council's body
function M.member(first)
  if type(first) == "string" then return declaration("member", first) end
  if type(first) ~= "table" then misuse("member", first, 2) end
  return declaration("member", nil, first)
end

--- `chair { ... }`, or `chair "id" { ... }`.
---@param first string|table
---@return table declaration for a council's body
function M.chair(first)
  if type(first) == "string" then return declaration("chair", first) end
  if type(first) ~= "table" then misuse("chair", first, 2) end
  return declaration("chair", nil, first)
end

--- `round "type" { ... }`, `round(my_round) { ... }`, or `round { type = "type", ... }`.
---@param first string|table a type's name, a round of one's own, or the fields
---@return table declaration for a council's body
function M.round(first)
  if type(first) == "string" or lower.is_round_table(first) then return declaration("round", first) end
  if type(first) ~= "table" then misuse("round", first, 2) end
  return declaration("round", nil, first)
end

---@class curia.UnfinishedTool `tool "name"` that still waits for its braces
local UnfinishedTool = { __name = "curia.unfinished_tool" }

function UnfinishedTool:__call(body)
  if type(body) ~= "table" then
    error(("tool '%s' must be followed by { ... }, not by %s"):format(self.name, article(body)), 2)
  end
  local made = { name = self.name }
  for name, value in pairs(body) do made[name] = value end
  return made
end

function UnfinishedTool:__tostring()
  return ("tool '%s' without its { ... }"):format(self.name)
end

--- `tool "name" { about =, parameters =, run = function(args, ctx) ... end }`: a plain table, to be listed in
--- `tools` or registered.
---@param name string
---@return fun(fields: table): table
function M.tool(name)
  if type(name) ~= "string" or name == "" then
    error("bad argument #1 to 'tool' (a name expected: tool \"name\" { ... })", 2)
  end
  return setmetatable({ name = name }, UnfinishedTool)
end

-- What each running chunk has declared, by its coroutine.
local collectors = setmetatable({}, { __mode = "k" })

--- Notes that the running chunk has declared something.
---@generic T
---@param made T
---@return T
function M.collect(made)
  local collector = collectors[coroutine.running()]
  if collector then collector[#collector + 1] = made end
  return made
end

---@class curia.UnfinishedCouncil `council "name"` that still waits for its braces
local Unfinished = { __name = "curia.unfinished_council" }

function Unfinished:__call(body)
  if type(body) ~= "table" then
    error(("council '%s' must be followed by { ... }, not by %s"):format(self.name, article(body)), 2)
  end
  return M.collect(council.new(self.name, body))
end

function Unfinished:__tostring()
  return ("council '%s' without its { ... }"):format(self.name)
end

--- Declares a council: `council "name" { ... }`. What is wrong in its body is told by `curia.validate`, and when it is
--- run.
---@param name string
---@return fun(body: table): curia.Council
function M.council(name)
  if type(name) ~= "string" or name == "" then
    error("bad argument #1 to 'council' (a name expected: council \"name\" { ... })", 2)
  end
  return setmetatable({ name = name }, Unfinished)
end

--- Runs `fn` and returns what it returns, after the list of what was declared meanwhile.
---@param fn function
---@return any[] declared councils and workflows
---@return ... what `fn` returns
function M.collecting(fn)
  local co, declared = coroutine.running(), {}
  local outer = collectors[co]
  local _ <close> = setmetatable({}, { __close = function() collectors[co] = outer end })
  collectors[co] = declared
  return declared, fn()
end

--- The words by name. Later parts of Curia add theirs with `add_word`.
M.words = {
  council = M.council, member = M.member, round = M.round, chair = M.chair, tool = M.tool,
  env = secrets.env, cmd = secrets.cmd, file = secrets.file,
  bm25 = tools.words.bm25, http_get = tools.words.http_get, mcp = tools.words.mcp,
}

--- Adds a word to the language.
---@param name string
---@param value any
function M.add_word(name, value)
  M.words[name] = value
end

--- Puts all words into a table, such as a chunk's environment.
---@generic T: table
---@param env T
---@return T
function M.install(env)
  for name, value in pairs(M.words) do env[name] = value end
  return env
end

return M
