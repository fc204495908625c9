--- Answers whose fields have other types than the protocol says: an error value, never a raise. The
-- adapters read on without asking for the type of each field, and this turns what Lua then says into
-- a typed error.
local failure = require "curia.adapters.support.failure"

local M = {}

local WHY = "answer of an unexpected shape"

local function checked(ok, ...)
  if ok then return ... end
  return nil, WHY, (...)
end

-- Plain fields that were copied as they came.
local function tidy(response, err)
  if not response then return nil, err end
  if type(response.model) ~= "string" then response.model = nil end
  if type(response.provider_id) ~= "string" then response.provider_id = nil end
  return response
end

-- The error of a raise: the excerpt helps to find the field, the Lua message to find the line.
local function shape_error(label, status, body, message)
  local err = failure.unreadable(label, status, body, WHY)
  err.code = "unexpected_shape"
  err.context = { lua = tostring(message) }
  return err
end

-- A plain answer is read first, where the adapter can: its fields have the types they should.
local function guarded_parse(parse, plain, own)
  return function(status, headers, body, request, name)
    local answer = plain and plain(status, body)
    if answer then return answer end
    local ok, response, err = pcall(parse, status, headers, body, request, name)
    if ok then return tidy(response, err) end
    return nil, shape_error(request and request.provider or name or own, status, body, response)
  end
end

local function guarded_push(push)
  return function(state, kind, value, name)
    if kind == "text" or kind == "reasoning" then return push(state, kind, value, name) end
    local deltas, err, message = checked(pcall(push, state, kind, value, name))
    if err == WHY then state.misshapen = state.misshapen or message end
    return deltas
  end
end

-- An event that could not be read may have held anything: no answer is whole without it.
local function misshape_counts(response, err)
  return response or err == WHY or err.code == "stream_cut"
end

local function guarded_finish(finish)
  return function(state, status, headers)
    local response, err, message = checked(pcall(finish, state, status, headers))
    if state.misshapen and misshape_counts(response, err) then
      err, message = WHY, state.misshapen
    end
    if err ~= WHY then return tidy(response, err) end
    return nil, shape_error(state.name, status, tostring(message), message)
  end
end

--- Guards the reading functions of an adapter.
---@param adapter table its field `plain`, if any, is a function(status, body) that gives the response of
--- an answer without any rarities, or nil
---@return table adapter the same
function M.adapter(adapter)
  adapter.parse = guarded_parse(adapter.parse, adapter.plain, adapter.name)
  local stream = adapter.stream
  stream.push = guarded_push(stream.push)
  stream.finish = guarded_finish(stream.finish)
  return adapter
end

return M
