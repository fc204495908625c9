--- How often a member was right on questions of a kind (SPEC 6): (successes + 1) / (successes + failures + 2), the rule
--- of succession (Laplace), for each bucket of a member and the features of the question.
--
-- The store is the configuration's `reliability`, or the call's `store`: false (none), "memory", "sqlite" (the
-- configured store; `{backend = "sqlite", store =, prefix =}` is another one), or a table of two functions, which may
-- wait:
--   record(member, bucket, correct) -> true | nil, err
--   score(member, bucket) -> number, or nil before the first record | nil, err
-- A bucket is the canonical JSON of the features.
local config = require "curia.config"
local errors = require "curia.errors"
local json = require "curia.json"
local log = require "curia.log"
local suggest = require "curia.suggest"
local user_code = require "curia.engine.user_code"

local M = {}

local BACKENDS = { memory = "curia.reliability.memory", sqlite = "curia.reliability.sqlite" }

--- The rule of succession.
---@param successes integer
---@param failures integer
---@return number
function M.succession(successes, failures)
  return (successes + 1) / (successes + failures + 2)
end

-- ---- buckets --------------------------------------------------------------------------------------

-- 3 and 3.0 are one feature.
local function plain(value, depth)
  if math.type(value) == "float" then return math.tointeger(value) or value end
  if type(value) ~= "table" or depth > 16 then return value end
  local made = {}
  for key, item in pairs(value) do made[key] = plain(item, depth + 1) end
  return setmetatable(made, getmetatable(value))
end

-- Equal features give equal text, whatever the order of their keys.
local function bucket_of(features, what)
  local bucket, err = json.encode(plain(features == nil and {} or features, 0))
  if bucket then return bucket end
  error(("bad argument #2 to '%s' (features are no JSON value: %s)"):format(what, err.message), 3)
end

-- ---- stores ---------------------------------------------------------------------------------------

local function is_store(value)
  return type(value) == "table" and type(value.record) == "function" and type(value.score) == "function"
end

local function shipped(name, opts)
  local module = BACKENDS[name]
  if module and opts.store then return require(module).at(opts.store, opts.prefix) end
  if module then return require(module) end
  return nil, errors.new("storage", suggest.message("reliability store", name, BACKENDS), { code = "unknown_store" })
end

local NO_OPTIONS = {}

-- The store; false where there is none.
local function store_of(opts)
  local chosen = opts and opts.store
  if chosen == nil then chosen = config.shared():get("reliability") end
  if chosen == nil or chosen == false then return false end
  if is_store(chosen) then return chosen end
  if type(chosen) == "table" then return shipped(chosen.backend, chosen) end
  return shipped(chosen, NO_OPTIONS)
end

local function down(err)
  if err.kind ~= "storage" then err = errors.new("storage", err.message, { traceback = err.traceback }) end
  log.write("error", tostring(err))
  return nil, err
end

-- A store that raises is down, too.
local function called(fn, ...)
  local value, err = user_code.call("the reliability store", fn, ...)
  if err then return down(err) end
  return value
end

local function check_member(member, what)
  if type(member) ~= "string" then error(("bad argument #1 to '%s' (a member's id expected)"):format(what), 3) end
end

--- Records whether a member was right.
---@async
---@param member string
---@param features any a JSON value that says what kind of question it was; nil: any
---@param correct boolean
---@param opts? {store: any}
---@return boolean? recorded false without a store
---@return curia.Error? err kind `storage`
function M.record(member, features, correct, opts)
  check_member(member, "record")
  local bucket = bucket_of(features, "record")
  if type(correct) ~= "boolean" then error("bad argument #3 to 'record' (boolean expected)", 2) end
  local store, err = store_of(opts)
  if not store then return store, err end
  local recorded
  recorded, err = called(store.record, member, bucket, correct)
  if err then return nil, err end
  return recorded ~= false
end

local function checked(score)
  if score == nil or type(score) == "number" and score >= 0 and score <= 1 then return score end
  return down(errors.new("storage", ("the reliability store gave %s, no number from 0 to 1"):format(tostring(score))))
end

--- A member's reliability.
---@async
---@param member string
---@param features any as recorded
---@param opts? {store: any}
---@return number? score from 0 to 1; nil before the first record, without a store, and when the store is down
---@return curia.Error? err kind `storage`
function M.score(member, features, opts)
  check_member(member, "score")
  local bucket = bucket_of(features, "score")
  local store, err = store_of(opts)
  if not store then return nil, err end
  local score
  score, err = called(store.score, member, bucket)
  if err then return nil, err end
  return checked(score)
end

--- The scores of several members; a store that is down is asked only once.
---@async
---@param ids string[]
---@param features any
---@param opts? {store: any}
---@return table<string, number> scores of those that have one
---@return curia.Error? err
function M.scores(ids, features, opts)
  local scores = {}
  for _, id in ipairs(ids) do
    local score, err = M.score(id, features, opts)
    if err then return {}, err end
    scores[id] = score
  end
  return scores
end

return M
