--- The keywords that put schemas together: allOf, anyOf, oneOf, not, if, $ref.
local M = { any = {} }

function M.any.allOf(e, schemas, value)
  for _, schema in ipairs(schemas) do e:evaluate(schema, value) end
end

-- The faults of each alternative, and how many have none.
local function tried(e, schemas, value)
  local attempts, good = {}, 0
  for i, schema in ipairs(schemas) do
    if e.exhausted then break end
    attempts[i] = e:attempt(schema, value)
    if attempts[i].count == 0 then good = good + 1 end
  end
  return attempts, good
end

-- Of the alternatives, the one that was missed by least tells what is wrong.
local function nearest(attempts)
  local best
  for _, faults in ipairs(attempts) do
    if faults[1] and (not best or faults.count < best.count) then best = faults end
  end
  return best and best[1]
end

function M.any.anyOf(e, schemas, value)
  local attempts, good = tried(e, schemas, value)
  if good > 0 then return end
  e:fault("anyOf", ("fits none of the %d alternatives"):format(#schemas), nearest(attempts))
end

function M.any.oneOf(e, schemas, value)
  local attempts, good = tried(e, schemas, value)
  if good == 1 then return end
  if good == 0 then
    return e:fault("oneOf", ("fits none of the %d alternatives"):format(#schemas), nearest(attempts))
  end
  e:fault("oneOf", ("must fit exactly one of the %d alternatives, and fits %d"):format(#schemas, good))
end

M.any["not"] = function(e, schema, value)
  if e:holds(schema, value) then e:fault("not", "is what it must not be") end
end

M.any["if"] = function(e, schema, value, whole)
  local branch = whole[e:holds(schema, value) and "then" or "else"]
  if branch ~= nil then e:evaluate(branch, value) end
end

M.any["$ref"] = function(e, reference, value)
  local target = e:resolve(reference)
  if target == nil then return e:fault("$ref", ("the schema has no %s"):format(reference)) end
  e:evaluate(target, value)
end

return M
